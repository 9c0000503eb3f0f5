//! The settings of mail.

use std::ffi::OsString;

use url::Url;

use super::settings::{Settings, invalid};
use super::{ConfigError, KeySource};
use crate::domain::{CodePurpose, EmailVerification};

#[derive(Debug, Clone)]
pub struct MailConfig {
    /// `MAIL_FROM`: the sender's address. `None` if no mail is sent.
    pub from: Option<String>,
    /// `EMAIL_VERIFICATION`. Never required if `from` is `None`.
    pub verification: EmailVerification,
    /// `PRODUCT_NAME`: at most 40 bytes, without control characters.
    pub product_name: String,
    /// `CODE_KEY_SECRET` or `CODE_KEY_FILE`: where the key that derives codes is kept. Only the
    /// functions `deliver` and `deliver-webhook` read it.
    pub code_key: Option<KeySource>,
    /// `MAIL_QUEUE_URL`: the queue that invokes `deliver`.
    pub queue_url: Option<String>,
    /// `APP_URL`, without a slash at the end. Empty only if `from` is `None`.
    app_url: String,
    /// `VERIFY_EMAIL_SUFFIX`.
    verify_email_suffix: String,
    /// `RESET_PASSWORD_SUFFIX`.
    reset_password_suffix: String,
    /// `CHANGE_EMAIL_SUFFIX`.
    change_email_suffix: String,
}

/// A product's name fits into the encoded word of RFC 2047 then.
const MAX_PRODUCT_NAME_BYTES: usize = 40;

impl MailConfig {
    #[must_use]
    pub fn app_url(&self) -> &str {
        &self.app_url
    }

    /// The link of a mail: `APP_URL`, the purpose's suffix and the code.
    #[must_use]
    pub fn link(&self, purpose: CodePurpose, code: &str) -> String {
        let suffix = match purpose {
            CodePurpose::VerifyEmail => &self.verify_email_suffix,
            CodePurpose::ResetPassword => &self.reset_password_suffix,
            CodePurpose::ChangeEmail => &self.change_email_suffix,
        };
        format!("{}{suffix}{code}", self.app_url)
    }
}

impl<F: Fn(&str) -> Option<OsString>> Settings<F> {
    pub(super) fn mail(&self) -> Result<MailConfig, ConfigError> {
        let from = self.get("MAIL_FROM")?;
        if from.as_deref().is_some_and(|from| !is_plain_address(from)) {
            return Err(invalid("MAIL_FROM", "must be an address, without a name"));
        }
        let app_url = self.app_url()?;
        if from.is_some() && app_url.is_empty() {
            return Err(invalid("APP_URL", "must be set with MAIL_FROM"));
        }
        let verification = self.verification(from.is_some())?;
        Ok(MailConfig {
            from,
            verification,
            product_name: self.product_name()?,
            code_key: self.key_source("CODE_KEY_SECRET", "CODE_KEY_FILE")?,
            queue_url: self.get("MAIL_QUEUE_URL")?,
            app_url,
            verify_email_suffix: self.suffix("VERIFY_EMAIL_SUFFIX", "/verify-email?code=")?,
            change_email_suffix: self.suffix("CHANGE_EMAIL_SUFFIX", "/change-email?code=")?,
            reset_password_suffix: self.suffix("RESET_PASSWORD_SUFFIX", "/reset-password?code=")?,
        })
    }

    fn verification(&self, sends_mail: bool) -> Result<EmailVerification, ConfigError> {
        let variable = "EMAIL_VERIFICATION";
        let text = self.text(variable, "optional")?;
        match EmailVerification::parse(&text) {
            Some(EmailVerification::Required) if !sends_mail => {
                Err(invalid(variable, "can be required only with MAIL_FROM"))
            }
            Some(verification) => Ok(verification),
            None => Err(invalid(variable, "must be optional or required")),
        }
    }

    fn app_url(&self) -> Result<String, ConfigError> {
        let variable = "APP_URL";
        let Some(text) = self.get(variable)? else {
            return Ok(String::new());
        };
        let is_base = |url: &Url| {
            ["http", "https"].contains(&url.scheme())
                && url.query().is_none()
                && url.fragment().is_none()
        };
        match Url::parse(&text) {
            Ok(url) if is_base(&url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
            _ => {
                let problem = "must be an http or https URL without query and fragment";
                Err(invalid(variable, problem))
            }
        }
    }

    fn product_name(&self) -> Result<String, ConfigError> {
        let variable = "PRODUCT_NAME";
        let name = self.text(variable, "Latchkey")?;
        if name.len() > MAX_PRODUCT_NAME_BYTES || name.contains(char::is_control) {
            let problem = "must be of at most 40 bytes, without control characters";
            return Err(invalid(variable, problem));
        }
        Ok(name)
    }

    /// What stands between `APP_URL` and the code: a path of visible ASCII that ends in `=`.
    fn suffix(&self, variable: &str, default: &str) -> Result<String, ConfigError> {
        let suffix = self.text(variable, default)?;
        let is_visible = suffix.bytes().all(|byte| byte.is_ascii_graphic());
        if suffix.starts_with('/') && suffix.ends_with('=') && is_visible {
            Ok(suffix)
        } else {
            Err(invalid(variable, "must begin with a slash and end with ="))
        }
    }
}

/// Whether the text is an address that SES takes: ASCII, because it has no SMTPUTF8.
///
/// SES checks the rest. `Email::parse` would bring its Unicode tables into every function.
fn is_plain_address(text: &str) -> bool {
    let is_address = |(local, domain): (&str, &str)| !local.is_empty() && domain.contains('.');
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"<>\",".contains(&byte));
    is_plain && text.rsplit_once('@').is_some_and(is_address)
}
