//! A second opinion on what [`crate::rewrite`] wrote: the same lists, read by another library, from the tree that a browser
//! builds.

use crate::attributes::ALLOWED;
use crate::link;
use crate::tags::TAGS;
use ammonia::Builder;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

static JUDGE: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let everywhere = ALLOWED.iter().filter(|(_, of)| of.is_empty()).map(|(name, _)| *name);
    let mut somewhere: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (name, of) in ALLOWED {
        for element in *of {
            somewhere.entry(element).or_default().insert(name);
        }
    }
    let mut judge = Builder::empty();
    judge
        .tags(TAGS.iter().map(|(name, _)| *name).collect())
        .generic_attributes(everywhere.collect())
        .tag_attributes(somewhere)
        .url_schemes(HashSet::from(["http", "https", "mailto", "data"]))
        .attribute_filter(good)
        .link_rel(Some("noopener noreferrer nofollow"))
        // A link never replaces what the frame shows.
        .set_tag_attribute_value("a", "target", "_blank");
    judge
});

pub(crate) fn judge(fragment: &str) -> String {
    JUDGE.clean(fragment).to_string()
}

fn good<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let good = match (element, attribute) {
        ("img", "src") => value.starts_with("data:image/"),
        ("a", "href") => link::safe(value).is_some(),
        (_, "style") => !value.contains(['\\', '@', '(', '<', '&', '/']),
        _ => true,
    };
    good.then_some(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_judges_on_its_own() {
        for (html, want) in [
            ("<img src=\"https://x.example/a.png\">", "<img>"),
            ("<img src=x onerror=alert(1)>", "<img>"),
            ("<b style=\"background:url(x)\">a</b>", "<b>a</b>"),
            ("<svg><style><img src=x onerror=alert(1)></style></svg>", "<img>"),
            ("<math><mi>a</mi></math><script>b</script>", ""),
            ("<p onclick=\"x\">a</p>", "<p>a</p>"),
        ] {
            assert_eq!(judge(html), want, "{html}");
        }
        let link = judge("<a href=\"javascript:x\">a</a><a href=\"data:text/html,x\">b</a>");
        assert!(!link.contains("href"), "{link}");
    }
}
