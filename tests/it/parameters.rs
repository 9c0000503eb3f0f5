//! The template's parameters agree with the functions' settings. CloudFormation refuses values that
//! are obviously invalid before it deploys; a function validates its settings fully when it starts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use local::template::{Parameter, Template};
use regex::Regex;
use serde_json::Value;
use shared::config::Config;

/// The configuration from these settings, with the template's defaults for all others.
fn config(
    template: &Template,
    settings: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, String> {
    let mut variables = template.variables.clone();
    for (name, value) in [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("JWT_KEYS_SECRET", "arn"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables.extend(settings);
    let config = Config::from_lookup(|name| variables.get(name).map(Into::into));
    config.map_err(|error| error.to_string())
}

/// Like `config`, but adds a setting that the template's rules require beside a given one.
fn start(
    template: &Template,
    settings: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, String> {
    let mut settings: BTreeMap<String, String> = settings.into_iter().collect();
    let is_set = |name: &str, unset: &str| settings.get(name).is_some_and(|value| value != unset);
    let networks = is_set("TRUSTED_PROXY_CIDRS", "") || is_set("ORIGIN_SECRET", "");
    match (is_set("TRUSTED_PROXY_HOPS", "0"), networks) {
        (true, false) => settings.insert("TRUSTED_PROXY_CIDRS".into(), "10.0.0.0/8".into()),
        (false, true) => settings.insert("TRUSTED_PROXY_HOPS".into(), "1".into()),
        _ => None,
    };
    if settings.contains_key("WEBHOOK_USER_FORGOT_PASSWORD") {
        settings.insert("APP_URL".into(), "https://app.example.com".into());
    }
    if settings.contains_key("ARGON2_PREVIOUS_SHARE") {
        let previous = settings.entry("ARGON2_PREVIOUS".into());
        previous.or_insert_with(|| "19456,2,1".into());
    }
    config(template, settings)
}

fn only(name: &str, value: &str) -> [(String, String); 1] {
    [(name.to_owned(), value.to_owned())]
}

/// Evaluates a CloudFormation condition with these parameters.
fn holds(condition: &Value, parameters: &BTreeMap<&str, &str>) -> bool {
    let (function, operands) = condition.as_object().unwrap().iter().next().unwrap();
    let operands = operands.as_array().unwrap();
    let text = |operand: &Value| match operand.get("Ref") {
        Some(name) => parameters[name.as_str().unwrap()].to_owned(),
        None => operand.as_str().unwrap().to_owned(),
    };
    match function.as_str() {
        "Fn::And" => operands.iter().all(|operand| holds(operand, parameters)),
        "Fn::Or" => operands.iter().any(|operand| holds(operand, parameters)),
        "Fn::Not" => !holds(&operands[0], parameters),
        _ => {
            assert_eq!(function, "Fn::Equals");
            text(&operands[0]) == text(&operands[1])
        }
    }
}

/// Whether the template's rules allow these parameters, with all others at their defaults.
fn rules_allow(template: &Template, set: &[(&'static str, &'static str)]) -> bool {
    let mut parameters = BTreeMap::from([
        ("Argon2Previous", ""),
        ("Argon2PreviousShare", "0"),
        ("AppUrl", ""),
        ("CertificateArn", ""),
        ("DomainName", ""),
        ("EmailVerification", "optional"),
        ("HostedZoneId", ""),
        ("JwtAlgorithm", "HS256"),
        ("JwtIssuer", "latchkey"),
        ("MailFrom", ""),
        ("OriginSecret", ""),
        ("PreviousOriginSecret", ""),
        ("TrustedProxyCidrs", ""),
        ("TrustedProxyHops", "0"),
        ("WebhookUserForgotPassword", ""),
    ]);
    parameters.extend(set.iter().copied());
    template.rules.iter().all(|rule| holds(rule, &parameters))
}

#[test]
fn template_rules_refuse_the_same_texts_together_as_the_functions() {
    let template = Template::checked_in().unwrap();
    let allows = |set: &[(&'static str, &'static str)]| rules_allow(&template, set);
    for (from, url) in [
        ("", ""),
        ("", "https://app.example.com"),
        ("a@example.com", ""),
        ("a@example.com", "https://app.example.com"),
    ] {
        let allowed = allows(&[("MailFrom", from), ("AppUrl", url)]);

        let both = only("MAIL_FROM", from).into_iter();
        let both = both.chain(only("APP_URL", url));
        assert_eq!(allowed, config(&template, both).is_ok(), "{from} {url}");
    }
    for webhook in ["", "https://hooks.example.com/"] {
        for url in ["", "https://app.example.com"] {
            let allowed = allows(&[("WebhookUserForgotPassword", webhook), ("AppUrl", url)]);

            let both = only("WEBHOOK_USER_FORGOT_PASSWORD", webhook).into_iter();
            let both = both.chain(only("APP_URL", url));
            assert_eq!(allowed, config(&template, both).is_ok(), "{webhook} {url}");
        }
    }
    for algorithm in ["HS256", "RS256", "ES256", "EdDSA"] {
        for issuer in ["latchkey", "https://id.example.com"] {
            let allowed = allows(&[("JwtAlgorithm", algorithm), ("JwtIssuer", issuer)]);

            let both = only("JWT_ALGORITHM", algorithm).into_iter();
            let both = both.chain(only("JWT_ISSUER", issuer));
            assert_eq!(
                allowed,
                config(&template, both).is_ok(),
                "{algorithm} {issuer}"
            );
        }
    }
    for verification in ["optional", "required"] {
        for from in ["", "a@example.com"] {
            let url = "https://app.example.com";
            let mail = [("MailFrom", from), ("AppUrl", url)];
            let allowed = allows(&[("EmailVerification", verification), mail[0], mail[1]]);

            let all = only("EMAIL_VERIFICATION", verification).into_iter();
            let all = all
                .chain(only("MAIL_FROM", from))
                .chain(only("APP_URL", url));
            assert_eq!(
                allowed,
                config(&template, all).is_ok(),
                "{verification} {from}"
            );
        }
    }
}

#[test]
fn template_rules_refuse_the_same_combinations_as_the_functions() {
    let template = Template::checked_in().unwrap();
    let allows = |set: &[(&'static str, &'static str)]| rules_allow(&template, set);
    for (previous, share) in [("", "0"), ("", "1"), ("8,1,1", "0"), ("8,1,1", "1")] {
        let allowed = allows(&[("Argon2Previous", previous), ("Argon2PreviousShare", share)]);

        let both = only("ARGON2_PREVIOUS", previous).into_iter();
        let both = both.chain(only("ARGON2_PREVIOUS_SHARE", share));
        assert_eq!(
            allowed,
            config(&template, both).is_ok(),
            "{previous} {share}"
        );
    }
    let secret = "0123456789abcdef0123456789abcdef";
    for (hops, networks, secret) in [
        ("0", "", ""),
        ("1", "", ""),
        ("0", "10.0.0.0/8", ""),
        ("1", "10.0.0.0/8", ""),
        ("0", "", secret),
        ("1", "", secret),
        ("0", "10.0.0.0/8", secret),
        ("1", "10.0.0.0/8", secret),
    ] {
        let allowed = allows(&[
            ("TrustedProxyHops", hops),
            ("TrustedProxyCidrs", networks),
            ("OriginSecret", secret),
        ]);

        let all = only("TRUSTED_PROXY_HOPS", hops).into_iter();
        let all = all.chain(only("TRUSTED_PROXY_CIDRS", networks));
        let all = all.chain(only("ORIGIN_SECRET", secret));
        assert_eq!(
            allowed,
            config(&template, all).is_ok(),
            "{hops} {networks} {secret}"
        );
    }
    for (domain, certificate, zone, allowed) in [
        ("", "", "", true),
        ("a.example", "arn", "", true),
        ("a.example", "arn", "Z1", true),
        ("a.example", "", "", false),
        ("", "arn", "", false),
        ("", "", "Z1", false),
    ] {
        let found = allows(&[
            ("DomainName", domain),
            ("CertificateArn", certificate),
            ("HostedZoneId", zone),
        ]);

        assert_eq!(found, allowed, "{domain} {certificate} {zone}");
    }
}

#[test]
fn parameters_that_no_function_reads_refuse_invalid_values() {
    let template = include_str!("../../template.yaml");
    let pattern = |name: &str| {
        let parameter = template.split(&format!("\n  {name}:\n")).nth(1).unwrap();
        let pattern = parameter.split("AllowedPattern: ").nth(1).unwrap();
        Regex::new(pattern.lines().next().unwrap()).unwrap()
    };
    for (name, allowed, refused) in [
        (
            "CorsOrigins",
            &[
                "",
                "*",
                "https://a.example",
                "http://localhost:5173,https://b.example",
            ][..],
            &["*,https://a.example", "https://a.example/", "a.example"][..],
        ),
        (
            "DomainName",
            &["", "login.example.com"],
            &[
                "localhost",
                "example.com.",
                "A.example",
                "https://a.example",
            ],
        ),
        (
            "ReservedConcurrency",
            &["", "1", "1000"],
            &["0", "-1", "1.5"],
        ),
        (
            "AlarmEmail",
            &["", "a@example.com"],
            &["a", "a b@example.com"],
        ),
        (
            "HostedZoneId",
            &["", "Z148QEXAMPLE8V"],
            &["z1", "hostedzone/Z1"],
        ),
    ] {
        let pattern = pattern(name);
        for value in allowed {
            assert!(pattern.is_match(value), "{name} {value}");
        }
        for value in refused {
            assert!(!pattern.is_match(value), "{name} {value}");
        }
    }
}

#[test]
fn functions_start_with_the_bounds_of_every_numeric_parameter() {
    let template = Template::checked_in().unwrap();
    let mut least = BTreeMap::new();
    let mut greatest = BTreeMap::new();
    for (name, parameter) in &template.parameters {
        let (Some(min), Some(max)) = (parameter.min_value, parameter.max_value) else {
            let is_number = parameter.min_value.is_some() || parameter.max_value.is_some();
            assert!(!is_number, "{name} is bounded on one side");
            continue;
        };
        least.insert(name.clone(), min.to_string());
        greatest.insert(name.clone(), max.to_string());
        for value in [min, max] {
            start(&template, only(name, &value.to_string())).unwrap();
        }
    }

    assert!(least.len() > 10, "{least:?}");
    for name in least.keys() {
        let mut one_is_least = greatest.clone();
        one_is_least.insert(name.clone(), least[name].clone());
        start(&template, one_is_least).unwrap();
        let mut one_is_greatest = least.clone();
        one_is_greatest.insert(name.clone(), greatest[name].clone());
        start(&template, one_is_greatest).unwrap();
    }
}

#[test]
fn a_setting_that_is_absent_has_the_default_of_its_parameter() {
    let template = Template::checked_in().unwrap();
    let names = template.parameters.keys();
    // An empty value counts as absent.
    let absent = names.map(|name| (name.clone(), String::new()));

    let found = config(&template, absent).unwrap();

    let expected = config(&template, []).unwrap();
    assert_eq!(format!("{found:#?}"), format!("{expected:#?}"));
}

/// Whether CloudFormation accepts this text for a parameter.
fn allows(parameter: &Parameter, value: &str) -> bool {
    let pattern = parameter.allowed_pattern.as_ref();
    let pattern = pattern.map(|pattern| Regex::new(pattern).unwrap());
    let choices = parameter.allowed_values.as_ref();
    let fits = |most: usize| value.chars().count() <= most;
    pattern.is_none_or(|pattern| pattern.is_match(value))
        && choices.is_none_or(|choices| choices.contains(&value.into()))
        && parameter.max_length.is_none_or(fits)
}

/// Valid and almost valid texts for each kind of setting.
const TEXTS: &[&str] = &[
    " ",
    "0",
    "1",
    "30",
    "-1d",
    "0d",
    "1.5h",
    "1s",
    "007m",
    "99999999s",
    "999999m",
    "99999h",
    "99999d",
    "30D",
    "30d ",
    "admin",
    "a,b",
    "a, b",
    "a,,b",
    "a b",
    "a,",
    ",a",
    "é",
    "ö,a",
    "10.0.0.0/8",
    "10.0.0.0/33",
    "10.0.0.0",
    "256.0.0.0/8",
    "10.0.0/8",
    "10.0.0.0/8,192.0.2.0/24",
    "10.0.0.0/8, 192.0.2.0/24",
    "10.0.0.0/8,",
    "2001:db8::/32",
    "::/0",
    "::1/128",
    "::ffff:192.0.2.0/120",
    "1:2:3:4:5:6:7::/64",
    "1::8/129",
    ":::/64",
    "1::2::3/64",
    "1:2:3/64",
    "10.0.0.0/8,2001:db8::/32",
    "19456,2,1",
    "7,1,1",
    "8,1,1,1",
    "https://hooks.example.com",
    "https://hooks.example.com/path?tenant=1",
    "http://hooks.example.com/",
    "https://hooks.example.com/#a",
    "https://",
    "https://127.0.0.1/",
    "true",
    "TRUE",
    "false",
    "yes",
];

#[test]
fn the_template_refuses_no_text_that_functions_accept() {
    let template = Template::checked_in().unwrap();
    let mut refused = BTreeSet::new();
    for (name, parameter) in &template.parameters {
        if parameter.allowed_pattern.is_none() && parameter.allowed_values.is_none() {
            continue;
        }
        for text in TEXTS.iter().filter(|text| !allows(parameter, text)) {
            refused.insert(name.as_str());
            let started = start(&template, only(name, text));
            assert!(started.is_err(), "the template refuses {name}={text:?}");
        }
    }

    let checked = [
        "ACCESS_EXPIRES_IN",
        "API_KEY_MAX_EXPIRES_IN",
        "API_USER_CREATE_SCOPE",
        "APP_URL",
        "ARGON2_PREVIOUS",
        "CHANGE_EMAIL_SUFFIX",
        "EMAIL_VERIFICATION",
        "JWT_ALGORITHM",
        "JWT_EXPIRES_IN",
        "MAIL_FROM",
        "PASSWORD_REJECT_COMMON",
        "REAUTH_MAX_AGE",
        "REFRESH_GRACE",
        "RESET_PASSWORD_SUFFIX",
        "SESSION_EXPIRES_IN",
        "TRUSTED_PROXY_CIDRS",
        "UNVERIFIED_ACCOUNT_EXPIRES_IN",
        "VERIFY_EMAIL_SUFFIX",
        "WEBHOOK_USER_CREATED",
        "WEBHOOK_USER_FORGOT_PASSWORD",
    ];
    assert_eq!(refused, BTreeSet::from(checked));
}

#[test]
fn a_text_that_only_functions_refuse_is_reported_with_its_variable() {
    let template = Template::checked_in().unwrap();
    let long = ["é".repeat(64), "a".repeat(65)];
    let texts = TEXTS.iter().copied().chain(long.iter().map(String::as_str));
    let mut stopped = BTreeSet::new();
    let mut started = BTreeSet::new();
    for text in texts {
        for (name, parameter) in &template.parameters {
            let is_number = parameter.min_value.is_some();
            if is_number || !allows(parameter, text) {
                continue;
            }
            match start(&template, only(name, text)) {
                Ok(_) => started.insert(name.as_str()),
                Err(message) => {
                    assert!(message.starts_with(name), "{name}={text:?}: {message}");
                    stopped.insert(name.as_str())
                }
            };
        }
    }

    let inexact = [
        "ACCESS_EXPIRES_IN",
        "API_KEY_MAX_EXPIRES_IN",
        "API_USER_CREATE_SCOPE",
        "ARGON2_PREVIOUS",
        "DEFAULT_USER_VENDOR",
        "JWT_EXPIRES_IN",
        "REAUTH_MAX_AGE",
        "REFRESH_GRACE",
        "SESSION_EXPIRES_IN",
        "TRUSTED_PROXY_CIDRS",
        "UNVERIFIED_ACCOUNT_EXPIRES_IN",
        "WEBHOOK_USER_CREATED",
        "WEBHOOK_USER_FORGOT_PASSWORD",
    ];
    assert_eq!(stopped, BTreeSet::from(inexact));
    assert!(started.is_superset(&stopped), "{started:?}");
}

/// The rows of the first table of docs/settings.md: the cells with variables and with defaults.
fn documented() -> Vec<(&'static str, &'static str)> {
    let page = include_str!("../../docs/settings.md");
    let table = page
        .split("\n\n")
        .find(|part| part.starts_with("| variable"));
    table
        .unwrap()
        .lines()
        .skip(2)
        .map(|row| {
            let mut cells = row.split(" | ");
            (cells.next().unwrap(), cells.next().unwrap())
        })
        .collect()
}

/// Each text in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_settings_page_lists_exactly_the_variables_that_functions_read() {
    let read = RefCell::new(BTreeSet::new());
    let started = Config::from_lookup(|name| {
        read.borrow_mut().insert(name.to_owned());
        let is_required = name.starts_with("TABLE_") || name == "JWT_KEYS_FILE";
        let is_of_aws = name.starts_with("AWS_") && !name.starts_with("AWS_ENDPOINT_URL");
        (is_required || is_of_aws).then(|| "x".into())
    });
    started.unwrap();

    let documented: BTreeSet<String> = documented()
        .iter()
        .flat_map(|(variables, _)| quoted(variables))
        .map(str::to_owned)
        .collect();
    assert_eq!(documented, read.into_inner());
}

#[test]
fn the_settings_page_has_the_defaults_of_the_template() {
    let template = Template::checked_in().unwrap();
    let mut compared = 0;
    for (variables, defaults) in documented() {
        let default_of_all = quoted(defaults).last().unwrap_or_default();
        let mut defaults = quoted(defaults);
        for name in quoted(variables).filter(|name| template.parameters.contains_key(*name)) {
            compared += 1;
            let default = defaults.next().unwrap_or(default_of_all);
            assert_eq!(template.variables[name], default, "{name}");
        }
    }
    assert_eq!(compared, template.parameters.len());
}
