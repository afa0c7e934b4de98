//! The plain pages that the browser is shown at the end.

/// What a request was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// The answer that was waited for, and it is good.
    GoOn,
    /// The answer that was waited for, and it is no.
    Refused,
    /// The answer of a sign-in that has one already.
    Over,
    /// Anything else.
    Foreign,
}

impl Page {
    fn status(self) -> &'static str {
        match self {
            Page::GoOn | Page::Refused | Page::Over => "200 OK",
            Page::Foreign => "404 Not Found",
        }
    }

    fn text(self, german: bool) -> &'static str {
        match (self, german) {
            (Page::GoOn, false) => "Threadline goes on with the sign-in. You can close this page.",
            (Page::GoOn, true) => {
                "Threadline fährt mit der Anmeldung fort. Sie können diese Seite schließen."
            }
            (Page::Refused, false) => {
                "The sign-in was not completed. Close this page; Threadline says what can be done."
            }
            (Page::Refused, true) => {
                "Die Anmeldung wurde nicht abgeschlossen. Schließen Sie diese Seite; Threadline sagt, was zu tun ist."
            }
            (Page::Over, false) => "This sign-in is over. Close this page and go back to Threadline.",
            (Page::Over, true) => {
                "Diese Anmeldung ist vorbei. Schließen Sie diese Seite und kehren Sie zu Threadline zurück."
            }
            (Page::Foreign, false) => "There is nothing here.",
            (Page::Foreign, true) => "Hier ist nichts.",
        }
    }

    /// The whole response. `languages` is the request's Accept-Language. Nothing of the request is repeated, nothing is
    /// kept by the browser, and the address with the code in it goes nowhere.
    pub fn response(self, languages: &str) -> String {
        let german = languages.trim_start().to_ascii_lowercase().starts_with("de");
        let (lang, text) = (if german { "de" } else { "en" }, self.text(german));
        let body = format!(
            "<!doctype html><html lang=\"{lang}\"><meta charset=\"utf-8\"><title>Threadline</title><p>{text}</p></html>\n"
        );
        format!(
            "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{body}",
            self.status(),
            body.len()
        )
    }
}
