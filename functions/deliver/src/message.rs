//! The texts of mails. They are in `templates/`, where an operator may replace them: per purpose a text,
//! whose first line is the subject, and HTML within `layout.html`.

use std::fmt;

use minijinja::{Environment, UndefinedBehavior, context};
use shared::auth::Letter;
use shared::config::MailConfig;
use shared::domain::Timestamp;

/// Its texts have the code, so there is no `Debug` of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({})", self.subject)
    }
}

#[derive(Debug)]
pub struct Templates(Environment<'static>);

/// A template is invalid, or has a variable that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("a mail's template: {0}")]
pub struct RenderError(#[from] minijinja::Error);

/// Each template by its name. Those named `.html` escape what they insert.
macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../templates/", $name)))),+]
    };
}

const TEMPLATES: [(&str, &str); 17] = templates!(
    "layout.html",
    "verify-email.txt",
    "verify-email.html",
    "reset-password.txt",
    "reset-password.html",
    "change-email.txt",
    "change-email.html",
    "password-changed.txt",
    "password-changed.html",
    "email-change-asked.txt",
    "email-change-asked.html",
    "email-changed.txt",
    "email-changed.html",
    "api-key-created.txt",
    "api-key-created.html",
    "account-deleted.txt",
    "account-deleted.html",
);

impl Templates {
    pub fn new() -> Result<Self, RenderError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        Ok(Self(environment))
    }

    pub fn render(&self, config: &MailConfig, letter: &Letter) -> Result<Message, RenderError> {
        let purpose = letter.purpose;
        let code = letter.code.as_ref();
        let values = context! {
            product => config.product_name.as_str(),
            app => config.app_url(),
            time => minute(letter.asked_at),
            link => code.map(|(purpose, code)| config.link(*purpose, code.expose())),
        };
        let rendered = |extension| {
            let template = self
                .0
                .get_template(&format!("{}.{extension}", purpose.name()))?;
            template.render(&values)
        };
        let text = rendered("txt")?;
        let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
        Ok(Message {
            subject: subject.trim().to_owned(),
            text: text.trim_start().to_owned(),
            html: rendered("html")?,
        })
    }
}

/// Such as `2027-01-15 08:00 UTC`.
fn minute(time: Timestamp) -> String {
    let text = time.to_rfc3339().unwrap_or_default();
    let minute = text.get(..16).unwrap_or_default();
    format!("{} UTC", minute.replace('T', " "))
}
