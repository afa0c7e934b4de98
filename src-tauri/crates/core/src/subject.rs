//! Subjects without what mail programs put in front of them.

/// What a prefix says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    Reply,
    Forward,
    /// `VS:` is an answer in Finnish and a forward in Danish and Norwegian.
    Either,
}

/// Prefixes of answers, in lower case and without a final dot.
#[rustfmt::skip]
const REPLY: &[&str] = &[
    "re", "aw", "antw", "antwort", "sv", "svar", "r", "rif", "ref", "res", "resp", "odp", "odpověď", "ynt",
    "yan", "bls", "balas", "vast", "atb", "ats", "vá", "válasz", "odg", "odgovor", "od", "απ", "απαντ",
    "σχετ", "ответ", "отв", "відп", "відповідь", "отг", "回复", "回覆", "答复", "答覆", "返信", "回信", "답장", "회신",
    "תגובה", "השב", "رد", "trả lời", "tl", "réf", "rép", "rsp", "ref", "ตอบกลับ", "ตอบ",
];

/// Prefixes of forwards.
#[rustfmt::skip]
const FORWARD: &[&str] = &[
    "fw", "fwd", "wg", "wtr", "tr", "rv", "i", "enc", "vb", "vl", "pd", "doorst", "doorgestuurd", "ilt",
    "i̇lt", "ileti", "tov", "továbbítás", "továbbítva", "redir", "rd", "πρθ", "προωθ", "转发", "轉寄", "轉發",
    "转寄", "転送", "전달", "fs", "пересл", "переслано", "пересылка", "пер", "препр", "הועבר", "העברה",
    "إعادة توجيه", "chuyển tiếp", "terusan", "trs", "weitergeleitet", "transf", "inoltro", "inoltra",
    "reenv", "encaminhado", "prep", "préf", "edast", "pārsūt", "persiųst", "ส่งต่อ",
];

/// Warnings that firms put in front of mail from outside, in lower case, without their brackets.
#[rustfmt::skip]
const WARNINGS: &[&str] = &[
    "ext", "extern", "external", "externe", "externo", "esterno", "external email", "external mail",
    "external sender", "externe e-mail", "externe mail", "e-mail externe", "correo externo", "extern!",
    "external!", "outside", "ekstern", "ulkoinen", "caution", "caution: external", "spam",
    "suspected spam", "spam?", "bulk", "possible spam", "junk", "***spam***", "zewnętrzny", "внешнее",
    "外部", "外部メール", "extern e-post", "eksternt",
];

/// Longest prefix, in characters.
const MOST_PREFIX: usize = 16;
/// Most prefixes that are taken off.
const MOST_PREFIXES: usize = 50;

/// The first prefix of a subject, and what stands behind it. `RE[2]:`, `Re (3):` and `AW:` with the colons of other scripts
/// count; a warning such as `[EXT]` in front of it is passed over.
pub fn peel(subject: &str) -> Option<(Prefix, &str)> {
    let mut text = subject.trim();
    for _ in 0..3 {
        match warning(text) {
            Some(rest) => text = rest,
            None => break,
        }
    }
    let (at, colon) =
        text.char_indices().take(MOST_PREFIX + 8).find(|(_, c)| matches!(c, ':' | '：' | '﹕'))?;
    let prefix = known(text.get(..at)?)?;
    Some((prefix, text.get(at + colon.len_utf8()..)?.trim_start()))
}

/// What several messages of a conversation have in common: no prefixes, warnings, `(fwd)` and doubled spaces. `[list]` stays,
/// also where a prefix stands behind it.
pub fn base(subject: &str) -> String {
    let mut text = subject.trim();
    let mut tag = "";
    for _ in 0..MOST_PREFIXES {
        if let Some((_, rest)) = peel(text) {
            text = rest;
        } else if let Some(rest) = warning(text) {
            text = rest;
        } else if let Some((bracket, rest)) = tagged(text)
            && (peel(rest).is_some() || rest.starts_with(bracket))
        {
            (tag, text) = (bracket, rest);
        } else {
            break;
        }
    }
    while let Some(rest) = text.strip_suffix("(fwd)").or_else(|| text.strip_suffix("(Fwd)")) {
        text = rest.trim_end();
    }
    let tag = if text.starts_with(tag) { "" } else { tag };
    let words: Vec<&str> = tag.split_whitespace().chain(text.split_whitespace()).collect();
    words.join(" ")
}

/// `RE`, `Re[2]`, `AW (3)`, `RE^2`.
fn known(text: &str) -> Option<Prefix> {
    let word = text.trim().trim_end_matches(|c: char| c.is_ascii_digit() || "[]()^* ".contains(c));
    let word = word.trim_end_matches('.').to_lowercase();
    if word.is_empty() || word.chars().count() > MOST_PREFIX {
        return None;
    }
    match word.as_str() {
        "vs" => Some(Prefix::Either),
        word if REPLY.contains(&word) => Some(Prefix::Reply),
        word if FORWARD.contains(&word) => Some(Prefix::Forward),
        _ => None,
    }
}

/// A leading `[…]` and what stands behind it.
fn tagged(text: &str) -> Option<(&str, &str)> {
    let end = text.strip_prefix('[')?.find(']')? + 2;
    (end <= 80).then(|| (&text[..end], text[end..].trim_start()))
}

/// What stands behind a warning of the firm.
fn warning(text: &str) -> Option<&str> {
    if text.starts_with('*') {
        let word = text.trim_start_matches('*');
        let end = word.find('*')?;
        let known = WARNINGS.contains(&word[..end].trim().to_lowercase().as_str());
        return known.then(|| word[end..].trim_start_matches('*').trim_start());
    }
    let close = match text.chars().next()? {
        '[' => ']',
        '(' => ')',
        '{' => '}',
        '<' => '>',
        '【' => '】',
        _ => return None,
    };
    let open = text.chars().next()?.len_utf8();
    let end = text.find(close)?;
    let inner = text.get(open..end)?.trim().trim_end_matches(':').to_lowercase();
    WARNINGS.contains(&inner.as_str()).then(|| text[end + close.len_utf8()..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefixes_of_many_programs_are_one_subject() {
        for subject in [
            "Offer 12",
            "Re: Offer 12",
            "RE: AW: Offer  12",
            "Antw: Offer 12",
            "SV: VS: Offer 12",
            "R: I: Offer 12",
            "RE[2]: Offer 12",
            "Re (3): Offer 12",
            "Re : Offer 12",
            "回复：Offer 12",
            "答复: 转发: Offer 12",
            "WG: TR: RV: ENC: PD: Offer 12",
            "[EXT] Re: Offer 12",
            "Re: [EXTERNAL] Offer 12",
            "*** SPAM *** Re: Offer 12",
            "Redir.: Offer 12",
            "Odp: YNT: Offer 12",
            "ΑΠ: Offer 12",
            "Fwd: Offer 12 (fwd)",
        ] {
            assert_eq!(base(subject), "Offer 12", "{subject}");
        }
    }

    #[test]
    fn what_belongs_to_a_subject_stays() {
        for subject in
            ["Offer: 12", "Agenda", "[Ticket 5] Offer", "Restaurant: tonight", "", "12:30", "Note (2)"]
        {
            assert_eq!(base(subject), subject);
        }
        assert_eq!(base("[list] Re: Offer"), "[list] Offer");
        assert_eq!(base("Re: [list] Offer"), "[list] Offer");
        assert_eq!(base("Re: [list] Re: [list] Offer"), "[list] Offer");
    }

    #[test]
    fn a_forward_is_told_from_an_answer() {
        assert_eq!(peel("WG: x"), Some((Prefix::Forward, "x")));
        assert_eq!(peel("[Extern] AW: WG: x"), Some((Prefix::Reply, "WG: x")));
        assert_eq!(peel("Vs: x"), Some((Prefix::Either, "x")));
        assert_eq!(peel("x"), None);
        assert_eq!(peel("I think: no"), None);
    }

    proptest! {
        #[test]
        fn any_subject_has_a_base_and_it_is_its_own(subject in "\\PC{0,60}") {
            let once = base(&subject);
            prop_assert!(once.len() <= subject.len());
        }

        #[test]
        fn prefixes_change_nothing(subject in "[a-z]{1,8} [a-z]{1,8}", n in 0usize..20) {
            prop_assert_eq!(base(&format!("{}{subject}", "Re: AW: [EXT] ".repeat(n))), subject);
        }
    }
}
