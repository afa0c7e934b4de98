//! Where words come from: the protocol, the provider, and how the sign-in was tried.

use serde::{Deserialize, Serialize};

/// What was spoken where something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Imap,
    Smtp,
    /// A token endpoint or a consent page.
    OAuth,
    Tls,
    Tcp,
    Dns,
}

impl Protocol {
    pub const ALL: &[Protocol] =
        &[Protocol::Imap, Protocol::Smtp, Protocol::OAuth, Protocol::Tls, Protocol::Tcp, Protocol::Dns];

    pub fn name(self) -> &'static str {
        match self {
            Protocol::Imap => "imap",
            Protocol::Smtp => "smtp",
            Protocol::OAuth => "oauth",
            Protocol::Tls => "tls",
            Protocol::Tcp => "tcp",
            Protocol::Dns => "dns",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}

/// How a sign-in was tried. The same words answer a bad password and a stale token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mechanism {
    Password,
    /// An OAuth access token, by XOAUTH2 or OAUTHBEARER (RFC 7628).
    Token,
}

impl Mechanism {
    /// Of a SASL mechanism's name, or of `LOGIN` and `password`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "XOAUTH2" | "OAUTHBEARER" | "OAUTH2" | "OAUTH" | "TOKEN" => Some(Mechanism::Token),
            "PLAIN" | "LOGIN" | "PASSWORD" | "CRAM-MD5" | "DIGEST-MD5" | "NTLM" => Some(Mechanism::Password),
            other if other.starts_with("SCRAM-") => Some(Mechanism::Password),
            _ => None,
        }
    }
}

/// Makes [`Provider`] of a list: the name in files, and other names that people use.
macro_rules! providers {
    ($($variant:ident $name:literal $(, $alias:literal)*;)+) => {
        /// A provider whose texts or pages differ from what is usual.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Provider {
            $(#[serde(rename = $name)] $variant,)+
        }

        impl Provider {
            pub const ALL: &[Provider] = &[$(Provider::$variant),+];

            pub fn name(self) -> &'static str {
                match self {
                    $(Provider::$variant => $name,)+
                }
            }

            /// By one of its names, in any case; `None` for a server that anybody may run.
            pub fn from_name(name: &str) -> Option<Self> {
                match name.to_ascii_lowercase().as_str() {
                    $($name $(| $alias)* => Some(Provider::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

providers! {
    Gmail "gmail", "google", "googlemail", "google-workspace", "gsuite";
    Microsoft "microsoft", "outlook", "outlook.com", "hotmail", "office365", "microsoft365", "m365", "exchange-online";
    Exchange "exchange";
    Yahoo "yahoo", "ymail", "att", "verizon";
    Aol "aol";
    ICloud "icloud", "apple", "me.com";
    Gmx "gmx", "mail.com";
    WebDe "web.de", "webde";
    Ionos "ionos", "1und1", "1and1";
    TOnline "t-online", "telekom";
    Freenet "freenet";
    Qq "qq", "foxmail";
    QqExmail "qq-exmail", "exmail", "tencent-exmail";
    Netease "netease", "163", "126", "yeah", "163.com", "126.com", "188.com";
    Zoho "zoho", "zohomail";
    Fastmail "fastmail";
    Yandex "yandex";
    MailRu "mail.ru", "mailru";
    Proton "proton", "protonmail", "proton-bridge";
}
