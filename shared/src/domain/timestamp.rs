//! A point in time.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Takes seconds since the epoch, as in a JWT's `NumericDate` (RFC 7519 section 2).
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// Zero if `later` has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        let millis = later.0.saturating_sub(self.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// Parses an RFC 3339 date-time with any offset, in the years 1 to 9999 UTC, and rounds it down
    /// to a millisecond.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        // The parser accepts any separator of date and time.
        if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
            return None;
        }
        let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let millis = date.unix_timestamp_nanos().div_euclid(1_000_000);
        let at = Self(i64::try_from(millis).ok()?);
        (1..=9999).contains(&at.to_date()?.year()).then_some(at)
    }

    /// RFC 3339 in UTC, with milliseconds unless they are zero: `2019-08-24T14:15:22Z`. `None`
    /// outside the years 0 to 9999.
    #[must_use]
    pub fn to_rfc3339(self) -> Option<String> {
        let whole = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        let fine = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        let format = if self.0 % 1000 == 0 { whole } else { fine };
        let date = self.to_date()?;
        (0..=9999)
            .contains(&date.year())
            .then(|| date.format(format).ok())?
    }

    fn to_date(self) -> Option<OffsetDateTime> {
        let nanos = i128::from(self.0) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .map(|date| date.to_offset(UtcOffset::UTC))
    }

    /// The format of JavaScript's `Date.prototype.toString`, in UTC:
    /// `Fri Apr 12 2019 15:56:49 GMT+0000 (Coordinated Universal Time)`.
    #[must_use]
    pub fn to_js_date(self) -> String {
        let format = format_description!(
            "[weekday repr:short] [month repr:short] [day] [year] [hour]:[minute]:[second] \
             GMT+0000 (Coordinated Universal Time)"
        );
        OffsetDateTime::from_unix_timestamp(self.secs())
            .ok()
            .and_then(|date| date.format(format).ok())
            .unwrap_or_else(|| "Invalid Date".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_javascript_does() {
        assert_eq!(
            Timestamp::from_secs(1_555_084_609).to_js_date(),
            "Fri Apr 12 2019 15:56:49 GMT+0000 (Coordinated Universal Time)"
        );
    }

    #[test]
    fn a_date_out_of_range_is_invalid() {
        assert_eq!(Timestamp::from_secs(i64::MAX).to_js_date(), "Invalid Date");
    }

    #[test]
    fn a_date_of_any_offset_is_kept_as_utc_to_the_millisecond() {
        for (text, kept) in [
            ("2019-08-24T14:15:22Z", "2019-08-24T14:15:22Z"),
            ("2019-08-24t14:15:22.5z", "2019-08-24T14:15:22.500Z"),
            ("2019-08-24T14:15:22.1239999Z", "2019-08-24T14:15:22.123Z"),
            ("2019-08-24T00:15:22+02:00", "2019-08-23T22:15:22Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            let date = Timestamp::parse_rfc3339(text).unwrap();

            assert_eq!(date.to_rfc3339().as_deref(), Some(kept), "{text}");
        }
    }

    #[test]
    fn other_formats_and_years_out_of_range_are_refused() {
        for text in [
            "",
            "2019-08-24",
            "2019-08-24T14:15:22",
            "2019-08-24T14:15Z",
            "2019-08-24X14:15:22Z",
            "2019-08-24 14:15:22Z",
            "2019-02-29T00:00:00Z",
            "2019-08-24T25:00:00Z",
            " 2019-08-24T14:15:22Z",
            "0000-12-31T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "10000-01-01T00:00:00Z",
            "-001-01-01T00:00:00Z",
            "1566656122",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_time_is_read_back_in_milliseconds_and_in_seconds() {
        let time = Timestamp::from_millis(1_234_567);

        assert_eq!(time.millis(), 1_234_567);
        assert_eq!(time.secs(), 1234);
        assert_eq!(Timestamp::from_secs(1234).millis(), 1_234_000);
    }

    #[test]
    fn the_time_until_a_past_timestamp_is_zero() {
        let (now, later) = (Timestamp::from_millis(10), Timestamp::from_millis(1510));

        assert_eq!(now.plus(Duration::from_millis(1500)), later);
        assert_eq!(now.until(later), Duration::from_millis(1500));
        assert_eq!(later.until(now), Duration::ZERO);
    }

    #[test]
    fn seconds_before_the_epoch_round_down() {
        assert_eq!(Timestamp::from_millis(-1).secs(), -1);
    }
}
