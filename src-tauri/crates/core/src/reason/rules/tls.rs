//! What TLS libraries say: OpenSSL, rustls, schannel, Secure Transport, Java, Go, .NET.

use crate::reason::Protocol;
use crate::reason::Reason as R;
use crate::reason::rule::{Rule, When::*, rule};

const ANY: &[Protocol] = &[Protocol::Tls, Protocol::Tcp];
const SERVERS_TOO: &[Protocol] = &[Protocol::Tls, Protocol::Tcp, Protocol::Imap, Protocol::Smtp];

pub(in crate::reason) const RULES: &[Rule] = &[
    rule("tls-captive-portal", R::CaptivePortal)
        .when(&[In(ANY)])
        .says(&["captive portal", "network + sign in page|login page"]),
    rule("tls-not-offered", R::TlsRequired)
        .when(&[In(SERVERS_TOO)])
        .says(&[
            "starttls + not supported|unsupported|not advertised|not offered|not available|unavailable|no support|missing|without|not support|refused",
            "doesnt support|does not support|not offer|no support for + starttls|tls|ssl|encryption",
            "tls|starttls + required but",
        ]),
    rule("tls-wrong-name", R::TlsNameMismatch)
        .when(&[In(ANY)])
        .says(&[
            "notvalidforname|altname|bad cert domain|wrong principal|sslhostnamemismatch|remotecertificatenamemismatch|cn no match|9843|cert common name invalid|unrecognisedname|unrecognizedname|unrecognised name|80090322|800b010f|unrecognized name",
            "hostname|host name|name|domain|host|ip address|identity|common name|cn|ip sans + mismatch|not match|doesnt match|no match|not valid for|invalid for|incorrect|doesnt contain any",
            "certificate + valid for|issued for|belongs to|not valid for|doesnt match|does not match|no subject alternative",
            "no alternative certificate subject name|no subject alternative + name|dns|found",
        ])
        .not(&["user|password|credential|account|login"]),
    rule("tls-dates", R::TlsExpired)
        .when(&[In(ANY)])
        .says(&[
            "certificate|cert|peer certificate|x509|ssl|tls + expired|not yet valid|not valid yet|not valid before|not valid after|notyetvalid|nottimevalid|date invalid|notvalidyet|validity period|out of date|outdated",
            "cert has expired|certificateexpired|certificatenotyetvalid|certexpired|notafter|80090328|800b0101|9814|9815",
            "timestamp check failed|validity check failed",
            "certificate + abgelaufen",
            "zertifikat + abgelaufen",
        ])
        .not(&["ocsp|crl$|responder|revocation"]),
    rule("tls-no-trust", R::TlsUntrusted)
        .when(&[In(ANY)])
        .says(&[
            "unknownissuer|causedasendentity|badsignature|untrustedroot|remotecertificatechainerrors|certpathvalidator|untrusted root|unknown issuer|unknown ca$|unknown authority",
            "self signed|selfsigned|trust anchor|pkix|certification path|local issuer|issuer certificate|trusted issuer|no trusted|first certificate|leaf signature|root cert|xcertchaininvalid",
            "certificate|cert|certificates|chain|issuer + not trusted|untrusted|isnt trusted|unknown|invalid|revoked|revocation|verify failed|verification failed|cannot be verified|could not be verified|unable to verify|not be validated|unsupported|bad signature|rejected|unhandled|invalidpurpose|wrong purpose|distrust",
            "nsurlerrordomain + 1202|1203|1204",
            "80090325|800b0109|80092012|80092013|9807|9812|9813|9808",
            "invalid peer certificate|certificate verify",
            "zertifikat + nicht vertrau|ungültig|unbekannt|selbstsigniert",
        ])
        .not(&["required|client certificate"]),
    rule("tls-plaintext", R::TlsPlaintextPort)
        .when(&[In(ANY)])
        .says(&[
            "wrong version number|packet length too long|unknown protocol|http request|record too long|invalidcontenttype|first record does not look like|not an ssl|not ssl tls record|unrecognized ssl message|plaintext connection|plain text connection",
            "corrupt message|invalid message + content type|contenttype",
            "80090308|80090326|9800|9836",
            "frame size + corrupted",
            "token supplied + invalid",
            "unsupported or unrecognized ssl|unexpected packet format|cannot determine the frame size|unexpected tls packet|message received was unexpected or badly formatted",
        ]),
    rule("tls-too-old", R::ProtocolError)
        .when(&[In(&[Protocol::Tls])])
        .says(&[
            "unsupported protocol|protocol version|no protocols available|handshake failure|handshakefailure|no shared cipher|no cipher|dh key too small|ee key too small|peerincompatible|inappropriate fallback|renegotiation|internal error|decode error|algorithm",
        ]),
    rule("tls-offline", R::LocalOffline).when(&[In(ANY)]).says(&["appears to be offline|internet disconnected|not connected to the internet"]),
];
