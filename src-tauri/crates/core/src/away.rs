//! Automatic answers: whether a subject says that it is one, and until when somebody is away.

use crate::subject::{Prefix, peel};
use crate::text::when;
use jiff::civil::Date;

/// How the subject of an automatic answer begins, in lower case.
#[rustfmt::skip]
const SUBJECTS: &[&str] = &[
    "automatic reply", "auto reply", "auto-reply", "autoreply", "auto response", "auto-response",
    "autoresponse", "automated reply", "automatic response", "automated response", "out of office",
    "out of the office", "out-of-office", "ooo:", "ooo re", "away from the office", "away from my",
    "vacation reply", "vacation:", "on vacation", "automatische antwort",
    "automatische rückantwort", "abwesenheitsnotiz", "abwesenheitsmeldung", "abwesenheitsbenachrichtigung",
    "abwesend", "abwesenheit", "nicht im büro", "außer haus", "réponse automatique", "absence du bureau",
    "absent du bureau", "message d'absence", "respuesta automática", "respuesta automatica",
    "fuera de la oficina", "fuera de oficina", "ausente de la oficina", "risposta automatica",
    "fuori sede", "fuori ufficio", "assenza", "resposta automática", "fora do escritório",
    "ausência temporária", "automatisch antwoord", "automatische reactie", "afwezigheidsbericht",
    "afwezig", "niet op kantoor", "autosvar", "automatiskt svar", "frånvarande", "frånvaro",
    "automatisk svar", "ikke på kontoret", "fraværende", "ikke til stede", "fravær",
    "automaattinen vastaus", "poissaoloviesti", "poissa", "odpowiedź automatyczna",
    "automatyczna odpowiedź", "poza biurem", "nieobecność", "automatická odpověď", "mimo kancelář",
    "automatická odpoveď", "mimo kancelárie", "automatski odgovor", "samodejni odgovor",
    "automatikus válasz", "házon kívül", "răspuns automat", "absent de la birou", "автоматический ответ",
    "автоответ", "вне офиса", "отсутствие на рабочем месте", "автоматична відповідь",
    "автоматичен отговор", "otomatik yanıt", "ofis dışında", "αυτόματη απάντηση", "εκτός γραφείου",
    "automaatvastus", "automatinis atsakymas", "automātiska atbilde", "自動応答", "自動返信", "不在通知", "自动答复",
    "自动回复", "外出", "自動回覆", "不在辦公室", "자동 회신", "자동 응답", "부재중", "תשובה אוטומטית", "מענה אוטומטי", "رد تلقائي",
    "الرد التلقائي", "trả lời tự động",
];

/// Words behind which the day stands on which somebody is back, or up to which they are away, in lower case. Longer ones first
/// where one begins another.
#[rustfmt::skip]
const UNTIL: &[&str] = &[
    "returning to the office on", "return to the office on", "back in the office on", "back at work on",
    "back in office on", "returning on", "return on", "returning", "back on", "be back", "return", "until",
    "till", "through", " to ", "available again on", "available again from", "available from",
    "in the office again on", "bis einschließlich", "bis einschliesslich", "bis zum", "bis",
    "wieder erreichbar ab", "wieder ab", "wieder am", "ab dem", "zurück am", "zurück ab", "erreichbar ab",
    "erreichbar am", "im büro ab", "im büro am", "wieder im büro", "de retour le",
    "de retour au bureau le", "retour le", "jusqu'au", "jusqu’au", "jusqu'à", "reviendrai le", "hasta el",
    "hasta", "de vuelta el", "regreso el", "regresaré el", "vuelvo el", "volveré el", "incorporo el",
    "fino al", "sino al", "fino a", "rientro il", "rientrerò il", "di ritorno il", "tornerò il",
    "até o dia", "até dia", "até ao dia", "até", "de volta em", "regresso a", "retorno em",
    "retornarei em", "tot en met", "t/m", "tot", "terug op", "weer bereikbaar op", "weer op kantoor op",
    "weer aanwezig op", "vanaf", "till och med", "t.o.m.", "tillbaka den", "tillbaka", "åter den",
    "til og med", "t.o.m", "tilbage den", "tilbage d.", "tilbage igen", "tilbake den", "tilbake", "indtil",
    "fram til", "saakka", "asti", "palaan töihin", "palaan", "tavoitettavissa", "do dnia", "wracam",
    "powrót", "do ", "zpět od", "zpět", "vrátím se", "späť", "vrátim sa", "-ig", "până la", "până pe",
    "revin pe", "revin în", "до", "по", "вернусь", "буду на работе с", "повернуся", "tarihine kadar",
    "döneceğim", "μέχρι", "έως", "kuni", "iki", "līdz", "まで", "至", "까지", "עד", "حتى",
];

/// Most of a text that is looked at, in bytes.
const MOST_BYTES: usize = 8 * 1024;

/// True where a subject is that of an automatic answer.
pub fn is_subject(subject: &str) -> bool {
    let lower = subject.trim().trim_start_matches(['[', '(', '*', ' ']).to_lowercase();
    // People write "Auto: ..." about cars; programs put it in front of what they answer, or say that somebody is away.
    if let Some(rest) = lower.strip_prefix("auto:") {
        return matches!(peel(rest), Some((Prefix::Reply, _))) || SUBJECTS.iter().any(|s| rest.contains(s));
    }
    SUBJECTS.iter().any(|start| {
        lower.strip_prefix(start).is_some_and(|rest| {
            rest.chars()
                .next()
                .is_none_or(|c| !c.is_alphabetic() || start.ends_with(|c: char| c > '\u{2e80}'))
        })
    })
}

/// The last day of an absence, or the day on which somebody is back, as an automatic answer states it. `None` where it does not,
/// or where day and month could be each other. `sent`: the day of the answer, by which a missing year is found; a day before it or
/// more than a year behind it is none.
pub fn until(subject: &str, text: &str, sent: Date) -> Option<Date> {
    let new = crate::text::reply::read(text).signed;
    let mut end = new.len().min(MOST_BYTES);
    while !new.is_char_boundary(end) {
        end -= 1;
    }
    let year = sent.checked_add(jiff::Span::new().days(366)).ok()?;
    let fits = |day: &Date| (sent..=year).contains(day);
    [subject, &new[..end]].into_iter().find_map(|text| day_in(&text.to_lowercase(), sent).filter(fits))
}

/// The latest day behind one of the words.
fn day_in(text: &str, sent: Date) -> Option<Date> {
    let words = UNTIL.iter().flat_map(|word| text.match_indices(word)).take(200).filter(|(at, word)| {
        let cjk = word.chars().all(|c| c > '\u{2e80}');
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphabetic());
        cjk || word.starts_with([' ', '-']) || apart(text[..*at].chars().next_back())
    });
    let days = words.filter_map(|(at, word)| {
        let behind = &text[at + word.len()..];
        let apart = word.ends_with(' ')
            || behind.chars().next().is_none_or(|c| !c.is_alphabetic())
            || word.chars().all(|c| c > '\u{2e80}');
        let near = behind.char_indices().take(48).map(|(i, c)| i + c.len_utf8()).last().unwrap_or(0);
        // The sentence ends the date; a point behind a number does not end the sentence.
        let near = &behind[..near];
        let end = near.find(['\n', '\r', ';', '!', '?', '(']).unwrap_or(near.len());
        apart.then(|| when::day(&near[..end], sent)).flatten()
    });
    days.max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn subjects_of_automatic_answers_are_known() {
        for subject in [
            "Automatic reply: Offer",
            "Auto reply: Offer",
            "Automatische Antwort: Angebot",
            "Out of Office",
            "自動返信: x",
            "Réponse automatique : x",
            "Abwesend bis 5.1.",
            "Auto: Re: Offer",
            "AUTO: Ann Lee is out of the office (returning 12/05/2021)",
        ] {
            assert!(is_subject(subject), "{subject}");
        }
        for subject in [
            "Re: Automatic reply: Offer",
            "Offer",
            "Automobile",
            "Auto: neues Angebot",
            "Poissaolo",
            "Autosvarsson",
            "",
            "Abwesenheitsregelung neu",
        ] {
            assert!(!is_subject(subject), "{subject}");
        }
    }

    #[test]
    fn the_day_is_read_where_it_is_stated() {
        let sent = Date::new(2021, 12, 20).unwrap();
        for (text, want) in [
            ("I am away returning to the office on May 5th. I will have limited access.", Some("2022-05-05")),
            ("I'm out of office until Monday, January 3rd, 2022.", Some("2022-01-03")),
            ("Ich bin vom 22.12.2021 bis zum 07.01.2022 nicht im Büro.", Some("2022-01-07")),
            ("Ich bin bis einschließlich 7. Januar nicht erreichbar.", Some("2022-01-07")),
            ("Je suis absent jusqu'au 5 janvier inclus.", Some("2022-01-05")),
            ("Estaré fuera hasta el 5 de enero.", Some("2022-01-05")),
            ("Sarò assente fino al 5 gennaio 2022", Some("2022-01-05")),
            ("Ik ben afwezig t/m 5 januari.", Some("2022-01-05")),
            ("Jestem nieobecny do 5 stycznia 2022.", Some("2022-01-05")),
            ("Я в отпуске до 5 января 2022 г.", Some("2022-01-05")),
            ("12月28日まで不在です。", None),
            ("I am away until further notice.", None),
            ("I am away until 5/1.", None),
            ("I was away until 5 March 2019.", None),
            ("I'm only sleeping.", None),
        ] {
            assert_eq!(until("", text, sent).map(|d| d.to_string()).as_deref(), want, "{text}");
        }
        assert_eq!(until("Away until May 5", "Back soon.", sent).unwrap().to_string(), "2022-05-05");
    }

    proptest! {
        #[test]
        fn any_text_has_a_day_or_none(text in "(until |bis |5 May|5\\.1\\.|2022|\\PC|\\n| ){0,40}") {
            until("", &text, Date::new(2021, 12, 20).unwrap());
        }
    }
}
