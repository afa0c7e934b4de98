//! What the provider sends the browser back with (RFC 6749 §4.1.2).

use crate::error::OauthError;
use crate::provider::Provider;
use crate::secret::Hidden;
use reqwest::Url;
use std::collections::HashMap;

/// Reads the target of a request. `None` where it is no answer to this sign-in: another path, another or no state, a
/// parameter twice. Such a request changes nothing, whoever sends it.
pub(crate) fn read(
    target: &str,
    path: &str,
    state: &Hidden,
    provider: &Provider,
) -> Option<Result<Hidden, OauthError>> {
    if !target.starts_with('/') {
        return None;
    }
    let url = Url::parse(&format!("http://localhost{target}")).ok()?;
    if url.path() != path {
        return None;
    }
    let mut said: HashMap<String, String> = HashMap::new();
    for (name, value) in url.query_pairs() {
        // RFC 6749 §3.1: no parameter comes twice.
        if said.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    let get = |name: &str| said.get(name).map(String::as_str).filter(|text| !text.is_empty());
    if get("state") != Some(state.reveal()) {
        return None;
    }
    if !provider.signed(get("iss")) {
        return Some(Err(OauthError::OtherIssuer));
    }
    match (get("code"), get("error")) {
        (Some(code), None) => Some(Ok(Hidden::new(code.to_owned()))),
        (None, Some(error)) => {
            let finer = get("error_subtype").or(get("error_subcode"));
            Some(Err(OauthError::refused(
                error,
                Vec::new(),
                finer,
                get("error_description").unwrap_or_default(),
            )))
        }
        _ => Some(Err(OauthError::Malformed("it holds neither a code nor an error"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> Provider {
        Provider { always_signs: true, issuer: Some("https://id.test".into()), ..Provider::google() }
    }

    fn answer(target: &str) -> Option<Result<String, OauthError>> {
        let read = read(target, "/back", &Hidden::new("st-1".to_owned()), &provider());
        read.map(|answer| answer.map(|code| code.reveal().to_owned()))
    }

    #[test]
    fn a_code_counts_with_the_exact_state_alone() {
        assert_eq!(answer("/back?code=a%2Fb&state=st-1&iss=https://id.test"), Some(Ok("a/b".to_owned())));
        for foreign in [
            "/back?code=x&iss=https://id.test",
            "/back?code=x&state=&iss=https://id.test",
            "/back?code=x&state=st-2&iss=https://id.test",
            "/back?code=x&state=ST-1&iss=https://id.test",
            "/back?code=x&state=st-1&state=st-1&iss=https://id.test",
            "/back?code=x&code=y&state=st-1&iss=https://id.test",
            "/other?code=x&state=st-1&iss=https://id.test",
            "/back/?code=x&state=st-1&iss=https://id.test",
            "//evil.test/back?code=x&state=st-1",
            "http://evil.test/back?code=x&state=st-1",
            "/favicon.ico",
            "/back",
            "*",
            "",
        ] {
            assert_eq!(answer(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn another_providers_answer_is_an_error_and_so_is_a_refusal() {
        for other in ["/back?code=x&state=st-1&iss=https://evil.test", "/back?code=x&state=st-1"] {
            assert_eq!(answer(other), Some(Err(OauthError::OtherIssuer)), "{other}");
        }
        let refused = answer(
            "/back?error=access_denied&error_description=No%0D%0Athanks&state=st-1&iss=https://id.test",
        );
        let want =
            OauthError::Refused { error: "access_denied".into(), numbers: vec![], words: "Nothanks".into() };
        assert_eq!(refused, Some(Err(want)));
        for neither in
            ["/back?state=st-1&iss=https://id.test", "/back?code=x&error=y&state=st-1&iss=https://id.test"]
        {
            assert!(matches!(answer(neither), Some(Err(OauthError::Malformed(_)))), "{neither}");
        }
    }
}
