//! Texts with variables: `{{first_name}}`, or `{{first_name|there}}` with what stands in its place where it is missing.
//!
//! Invariant: a text is filled whole or not at all. Nobody gets a mail that begins with "Dear ,".

use crate::address::Mailbox;
use crate::contact::split_name;
use std::collections::BTreeMap;

/// A template for a mail, with variables in each of its texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Template {
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

crate::debug_only!(Template {});

/// Why a text cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFilled {
    #[error(
        "The template asks for {}, and {whom} has no such value. Give it with --set {}=VALUE, or write {{{{{}|something}}}} in the template.",
        .gaps.join(", "), .gaps.first().map_or("name", String::as_str), .gaps.first().map_or("name", String::as_str)
    )]
    Missing { gaps: Vec<String>, whom: String },
    #[error(
        "The template cannot be read at {at:?}: a variable is written {{{{name}}}} or {{{{name|instead}}}}, its name of a-z, 0-9 and _. Write it so."
    )]
    Unreadable { at: String },
}

/// What the variables stand for. An empty value is a missing one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, String>);

crate::debug_only!(Values {});

impl Values {
    /// Of the person that a mail goes to: `name`, `first_name`, `last_name`, `email`, `domain`.
    pub fn of(person: &Mailbox) -> Self {
        let mut values = Self::default();
        values.set("email", person.address.as_str());
        values.set("domain", person.address.domain());
        if let Some(name) = person.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            let (first, last) = split_name(name);
            values.set("name", format!("{first} {last}").trim());
            values.set("first_name", &first);
            values.set("last_name", &last);
        }
        values
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }
}

/// A part of a text.
enum Part<'a> {
    Plain(&'a str),
    Variable { name: &'a str, instead: Option<&'a str> },
}

impl Template {
    /// The variables that it asks for, in the order of their names. Fails where a variable cannot be read.
    pub fn variables(&self) -> Result<Vec<String>, NotFilled> {
        let mut names = Vec::new();
        for text in [Some(&self.subject), Some(&self.text), self.html.as_ref()].into_iter().flatten() {
            for part in parts(text)? {
                if let Part::Variable { name, .. } = part {
                    names.push(name.to_owned());
                }
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Fills its texts; `whom` names the person in an error. In HTML what is filled in is text, and no HTML.
    pub fn fill(&self, values: &Values, whom: &str) -> Result<Self, NotFilled> {
        let mut gaps = Vec::new();
        let one_line = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
        let filled = Self {
            subject: fill(&self.subject, values, one_line, &mut gaps)?,
            text: fill(&self.text, values, str::to_owned, &mut gaps)?,
            html: self.html.as_deref().map(|html| fill(html, values, escaped, &mut gaps)).transpose()?,
        };
        gaps.sort();
        gaps.dedup();
        match gaps.is_empty() {
            true => Ok(filled),
            false => Err(NotFilled::Missing { gaps, whom: whom.to_owned() }),
        }
    }
}

fn fill(
    text: &str,
    values: &Values,
    written: impl Fn(&str) -> String,
    gaps: &mut Vec<String>,
) -> Result<String, NotFilled> {
    let mut out = String::with_capacity(text.len());
    for part in parts(text)? {
        match part {
            Part::Plain(plain) => out.push_str(plain),
            Part::Variable { name, instead } => match (values.get(name), instead) {
                (Some(value), _) => out.push_str(&written(value)),
                // It is the template's own, and as good as what stands around it.
                (None, Some(instead)) => out.push_str(instead),
                (None, None) => gaps.push(name.to_owned()),
            },
        }
    }
    Ok(out)
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, NotFilled> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        parts.push(Part::Plain(&rest[..at]));
        let wrong = || NotFilled::Unreadable { at: rest[at..].chars().take(40).collect() };
        let inside = &rest[at + 2..];
        let end = inside.find("}}").ok_or_else(wrong)?;
        let (name, instead) = match inside[..end].split_once('|') {
            Some((name, instead)) => (name, Some(instead)),
            None => (&inside[..end], None),
        };
        let name = name.trim();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(wrong());
        }
        parts.push(Part::Variable { name, instead });
        rest = &inside[end + 2..];
    }
    parts.push(Part::Plain(rest));
    Ok(parts)
}

/// A text as HTML shows it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    fn person(name: Option<&str>) -> Mailbox {
        Mailbox::new(name.map(str::to_owned), Address::parse("carl@client.example").unwrap())
    }

    fn filled(text: &str, values: &Values) -> Result<String, NotFilled> {
        let template = Template { text: text.to_owned(), ..Template::default() };
        template.fill(values, "Carl").map(|template| template.text)
    }

    #[test]
    fn variables_come_from_the_person() {
        let values = Values::of(&person(Some("Meier, Carl  Maria")));
        let text = "Dear {{ first_name }} {{last_name}} ({{name}}, {{email}} at {{domain}})";
        let want = "Dear Carl Maria Meier (Carl Maria Meier, carl@client.example at client.example)";
        assert_eq!(filled(text, &values).unwrap(), want);
        assert_eq!(filled("no variable { } }}", &values).unwrap(), "no variable { } }}");
    }

    #[test]
    fn what_is_missing_blocks_with_its_name_unless_something_stands_instead() {
        let values = Values::of(&person(None));
        assert_eq!(filled("Dear {{first_name|Sir or Madam}},", &values).unwrap(), "Dear Sir or Madam,");
        assert_eq!(filled("Dear{{first_name|}}!", &values).unwrap(), "Dear!");
        let Err(NotFilled::Missing { gaps, .. }) = filled("{{name}} {{x}} {{name}} {{email}}", &values)
        else {
            panic!()
        };
        assert_eq!(gaps, ["name", "x"]);
        let error = filled("{{order_no}}", &values).unwrap_err().to_string();
        assert_eq!(
            error,
            "The template asks for order_no, and Carl has no such value. Give it with --set order_no=VALUE, or write {{order_no|something}} in the template."
        );
        let mut given = values.clone();
        given.set("order_no", "17");
        assert_eq!(filled("{{order_no}}", &given).unwrap(), "17");
        given.set("order_no", " ");
        assert!(filled("{{order_no}}", &given).is_err());
        // One name alone is a first name.
        let one = Values::of(&person(Some("Carl")));
        assert!(filled("{{first_name}}", &one).is_ok() && filled("{{last_name}}", &one).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_shown() {
        for text in ["a {{First}} b", "{{", "{{a b}}", "{{}}", "{{a", "{{é}}"] {
            let error = filled(text, &Values::default()).unwrap_err();
            assert!(matches!(error, NotFilled::Unreadable { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn a_value_is_text_in_html_and_one_line_in_the_subject() {
        let mut values = Values::default();
        values.set("x", "<b>\"1\" & '2'\r\nBcc: y");
        let template = Template {
            subject: "About {{x}}".to_owned(),
            text: "{{x}}".to_owned(),
            html: Some("<p title=\"{{x}}\">{{y|<i>none</i>}}</p>".to_owned()),
        };
        assert_eq!(template.variables().unwrap(), ["x", "y"]);
        let filled = template.fill(&values, "").unwrap();
        assert_eq!(filled.subject, "About <b>\"1\" & '2' Bcc: y");
        assert_eq!(filled.text, "<b>\"1\" & '2'\r\nBcc: y");
        assert_eq!(
            filled.html.unwrap(),
            "<p title=\"&lt;b&gt;&quot;1&quot; &amp; &#39;2&#39;\r\nBcc: y\"><i>none</i></p>"
        );
    }
}
