//! The paths of routes, matched as API Gateway matches them.

/// Whether a path, percent-decoded, is one of this route, such as `/v1/api-keys/{id}`: `{name}` matches
/// one segment. Repeated slashes and one at the end do not count.
#[must_use]
pub fn matches(route: &str, path: &str) -> bool {
    let mut segments = segments(path);
    let matches = self::segments(route).all(|expected| {
        segments
            .next()
            .is_some_and(|segment| segment == expected || expected.starts_with('{'))
    });
    matches && segments.next().is_none()
}

pub fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_segment_by_segment() {
        for (route, path, expected) in [
            ("/user", "/user", true),
            ("/user", "/user/", true),
            ("/user", "//user", true),
            ("/user", "/User", false),
            ("/user", "/user/auth", false),
            ("/user/auth", "/user", false),
            ("/user/auth", "/user//auth", true),
            ("/v1/api-keys/{id}", "/v1/api-keys/7", true),
            ("/v1/api-keys/{id}", "/v1/api-keys/", false),
            ("/v1/api-keys/{id}", "/v1/api-keys/7/8", false),
            ("/", "/", true),
            ("/", "", true),
            ("/", "/user", false),
        ] {
            assert_eq!(matches(route, path), expected, "{route} {path}");
        }
    }
}
