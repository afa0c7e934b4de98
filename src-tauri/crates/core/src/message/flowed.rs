//! Text with `format=flowed` (RFC 3676): lines that end in a space go on in the next one.

/// Joins what belongs together. `delsp`: the space at the end of a line that goes on was put there for this alone.
pub(super) fn unflow(text: &str, delsp: bool) -> String {
    let mut joined = String::with_capacity(text.len());
    // The depth of the line that goes on.
    let mut open: Option<usize> = None;
    for (at, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let rest = line.trim_start_matches('>');
        let depth = line.len() - rest.len();
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let signature = rest == "-- ";
        if open != Some(depth) || signature {
            if at > 0 {
                joined.push('\n');
            }
            joined.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                joined.push(' ');
            }
        }
        let flows = rest.ends_with(' ') && !signature;
        joined.push_str(if flows && delsp { &rest[..rest.len() - 1] } else { rest });
        open = flows.then_some(depth);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_go_on_are_one() {
        let text = "One \r\ntwo\r\nthree\r\n> quoted \r\n> on\r\n>> deep\r\n  indented\r\n-- \r\nAnn\r\n";
        assert_eq!(unflow(text, false), "One two\nthree\n> quoted on\n>> deep\n indented\n-- \nAnn\n");
        assert_eq!(unflow("日本 \n語\n", true), "日本語\n");
        assert_eq!(unflow("a \n> b \nc", false), "a \n> b \nc");
        assert_eq!(unflow("", false), "");
    }
}
