//! The page around a mail.

/// Forbids everything but what is in the page itself: its styles and its pictures.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Sizes are the page's own, so that nested `small` does not shrink to nothing.
const STYLE: &str = "\
body{margin:0;padding:12px 14px;font:14px/1.5 \"Segoe UI Variable Text\",\"Segoe UI\",-apple-system,BlinkMacSystemFont,Cantarell,\"Noto Sans\",Ubuntu,sans-serif;overflow-wrap:anywhere}body>:first-child{margin-top:0}body>:last-child{margin-bottom:0}\
img,table{max-width:100%}img{height:auto}\
small,big,tt,code,kbd,samp,pre{font-size:inherit}sub,sup{font-size:.75rem}small{font-size:.8rem}\
pre{white-space:pre-wrap}\
blockquote{margin:8px 0;padding-inline-start:12px;border-inline-start:2px solid #8b8f98}";

/// A mail was made for white paper, and is on it in a dark window too: web views do not agree on whose colours a frame follows.
const PAPER: &str = ":root{color-scheme:light;background:#fff;color:#17222e}";

/// Puts a cleaned fragment into a page; empty for an empty one.
pub(crate) fn document(fragment: &str) -> String {
    if fragment.trim_ascii().is_empty() {
        return String::new();
    }
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <meta http-equiv=\"x-dns-prefetch-control\" content=\"off\">\
         <style>{PAPER}{STYLE}</style></head><body>{fragment}</body></html>"
    )
}
