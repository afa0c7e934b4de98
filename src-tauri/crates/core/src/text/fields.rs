//! How mail programs name the fields of a header that they write into a text.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A field of a header that stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    From,
    To,
    Cc,
    Date,
    Subject,
    /// Known, and not needed.
    Other,
}

/// The names in lower case, all languages in one list: a program writes some of them in one language and some in another.
#[rustfmt::skip]
const NAMES: &[(Field, &[&str])] = &[
    (
        Field::From,
        &[
            "from", "von", "absender", "de", "expéditeur", "expediteur", "remitente", "da", "mittente",
            "remetente", "van", "afzender", "från", "avsändare", "fra", "afsender", "avsender",
            "lähettäjä", "lähettänyt", "od", "nadawca", "odesílatel", "odosielateľ", "šalje",
            "pošiljatelj", "feladó", "de la", "expeditor", "от", "от кого", "отправитель", "від",
            "від кого", "відправник", "gönderen", "kimden", "από", "αποστολέας", "saatja", "kellelt",
            "nuo", "siuntėjas", "sūtītājs", "差出人", "送信者", "发件人", "發件人", "寄件者", "寄件人", "보낸 사람", "보낸사람",
            "보낸이", "מאת", "من", "المرسل", "từ", "người gửi", "dari", "pengirim", "จาก", "od koga",
            "подател",
        ],
    ),
    (
        Field::To,
        &[
            "to", "an", "empfänger", "à", "a", "destinataire", "destinataires", "para", "destinatario",
            "destinatarios", "destinatário", "per", "pour", "pre", "pro", "aan", "naar", "ontvanger",
            "till", "mottagare", "til", "modtager", "mottaker", "vastaanottaja", "vastaanottajat", "do",
            "adresat", "odbiorca", "komu", "příjemce", "prima", "za", "primatelj", "címzett", "către",
            "catre", "destinatar", "кому", "получатель", "одержувач", "до", "kime", "alıcı", "προς",
            "παραλήπτης", "saaja", "kellele", "kam", "gavėjas", "宛先", "收件人", "收件者", "받는 사람", "받는사람", "받는이",
            "אל", "إلى", "المستلم", "đến", "tới", "người nhận", "kepada", "ถึง",
        ],
    ),
    (
        Field::Cc,
        &[
            "cc", "c.c", "kopie", "kopie (cc)", "copie", "copie à", "copia", "copia carbone", "cc (copia)",
            "kopia", "kopi", "kopio", "dw", "do wiadomości", "kópia", "kopija", "másolat", "másolatot kap",
            "cópia", "com cópia", "копия", "копія", "копие", "bilgi", "κοιν", "κοινοποίηση", "koopia",
            "抄送", "副本", "副本抄送", "참조", "עותק", "העתק", "نسخة", "đồng gửi", "สำเนา", "tembusan",
            "copie carbon", "cc-mottagare", "kopi til", "kopie an",
        ],
    ),
    (
        Field::Date,
        &[
            "date", "sent", "date sent", "sent on", "datum", "gesendet", "gesendet am", "datum/uhrzeit",
            "envoyé", "envoyé le", "date d'envoi", "message du", "fecha", "enviado", "enviado el",
            "enviado em", "enviada em", "enviada", "data", "inviato", "data invio", "verzonden",
            "verzonden op", "skickat", "skickades", "dato", "sendt", "sendt dato", "päivämäärä", "päiväys",
            "lähetetty", "wysłano", "data wysłania", "odesláno", "odoslané", "dátum", "dátum odoslania",
            "poslano", "poslato", "elküldve", "küldve", "küldés ideje", "küldés dátuma", "dată", "trimis",
            "trimis la", "дата", "отправлено", "дата отправки", "надіслано", "відправлено", "изпратено",
            "tarih", "gönderildi", "gönderme tarihi", "gönderim tarihi", "gönderilen", "gönderilme tarihi",
            "ημερομηνία", "στάλθηκε", "απεσταλμένα", "kuupäev", "saadetud", "išsiųsta", "nosūtīts", "日付",
            "送信日時", "送信日", "日時", "日期", "发送时间", "发送日期", "發送時間", "傳送日期", "寄件日期", "时间", "時間", "날짜", "보낸 날짜",
            "보낸날짜", "날자", "תאריך", "נשלח", "التاريخ", "تاريخ الإرسال", "أُرسلت", "أرسلت", "ngày", "đã gửi",
            "tanggal", "dikirim", "วันที่", "ส่ง",
        ],
    ),
    (
        Field::Subject,
        &[
            "subject", "betreff", "thema", "objet", "sujet", "asunto", "oggetto", "assunto", "onderwerp",
            "ämne", "emne", "aihe", "otsikko", "temat", "předmět", "predmet", "naslov", "tárgy", "subiect",
            "тема", "konu", "θέμα", "относно", "teema", "tema", "件名", "主题", "主旨", "主題", "标题", "제목", "נושא",
            "الموضوع", "chủ đề", "tiêu đề", "subjek", "perihal", "เรื่อง", "assumpte",
        ],
    ),
    (
        Field::Other,
        &[
            "reply-to", "reply to", "antwort an", "antworten an", "répondre à", "responder a",
            "responder para", "rispondi a", "beantwoorden", "antwoord aan", "svar till", "svar til",
            "vastausosoite", "odpowiedz do", "odpověď", "válaszcím", "bcc", "cci", "cco", "ccn",
            "bcc-kopie", "blindkopie", "organization", "organisation", "attachments", "anlagen", "anhänge",
            "pièces jointes", "adjuntos", "datos adjuntos", "allegati", "anexos", "bijlagen", "bilagor",
            "załączniki", "importance", "wichtigkeit", "priority", "priorität", "priorité", "prioridad",
            "sent by", "message-id", "in-reply-to", "references", "user-agent", "x-mailer", "newsgroups",
            "resent-date", "resent-from", "resent-to", "mailed-by", "signed-by", "security", "sender",
            "list-id", "mime-version", "content-type", "return-path", "delivered-to", "time", "uhrzeit",
            "categories", "ответить на", "답장", "返信先", "回复", "resent-subject", "reply-from", "sensitivity",
            "ответ",
        ],
    ),
];

/// Names that some programs write without a colon where they write the whole header into one line.
#[rustfmt::skip]
const WITHOUT_COLON: &[&str] = &["Dw "];

/// Longest name of a field, in bytes.
const MOST_NAME: usize = 64;

static BY_NAME: LazyLock<HashMap<&'static str, Field>> = LazyLock::new(|| {
    let mut all = HashMap::new();
    for (field, names) in NAMES {
        for name in *names {
            all.entry(*name).or_insert(*field);
        }
    }
    all
});

/// The field that begins a line, and its value: `*From:* x`, `De : x`, `发件人：x`. `None` where none does.
pub(super) fn field(line: &str) -> Option<(Field, &str)> {
    let line = line.trim_matches(blank);
    let head = line.get(..line.len().min(MOST_NAME)).or_else(|| line.get(..floor(line, MOST_NAME)))?;
    let at = head.find([':', '：'])?;
    let field = named(&line[..at])?;
    let colon = line[at..].chars().next()?;
    let value = line[at + colon.len_utf8()..].trim_start_matches(['*', '_']).trim_matches(blank);
    Some((field, value.trim_end_matches('*').trim_end()))
}

/// The fields of a header that was written into one line without anything between them, each once.
pub(super) fn fields_in_line(line: &str) -> Vec<(Field, &str)> {
    let mut found: Vec<(Field, usize, usize)> = Vec::new();
    let mut before = '>';
    for (at, c) in line.char_indices() {
        let glued = before != ' ' || found.is_empty();
        // A name begins with a capital, or in a script that has none.
        if !c.is_lowercase()
            && c.is_alphabetic()
            && glued
            && let Some((field, end)) = name_at(line, at, before)
            && !found.iter().any(|(f, ..)| *f == field)
        {
            found.push((field, at, end));
        }
        before = if c.is_whitespace() && before == '>' { '>' } else { c };
    }
    let ends: Vec<usize> = found.iter().skip(1).map(|(_, at, _)| *at).chain([line.len()]).collect();
    found
        .iter()
        .zip(ends)
        .map(|((field, _, start), end)| (*field, line[*start..end].trim_matches(blank)))
        .collect()
}

/// The name of a field at a place in a line, and where its value begins.
fn name_at(line: &str, at: usize, before: char) -> Option<(Field, usize)> {
    let rest = &line[at..];
    if before == '>'
        && at > 0
        && let Some(name) = WITHOUT_COLON.iter().find(|name| rest.starts_with(**name))
    {
        return Some((named(name)?, at + name.len()));
    }
    let head = &rest[..floor(rest, MOST_NAME)];
    let colon = head.find([':', '：'])?;
    let field = named(&head[..colon])?;
    Some((field, at + colon + head[colon..].chars().next()?.len_utf8()))
}

/// The field of a name.
fn named(name: &str) -> Option<Field> {
    let name = lower(name.trim_matches(|c| blank(c) || matches!(c, '*' | '_')));
    BY_NAME.get(name.as_str()).copied()
}

/// A text in lower case, without the dot that the Turkish İ leaves behind, and with plain spaces.
pub(super) fn lower(text: &str) -> String {
    let all = text.chars().flat_map(char::to_lowercase);
    all.filter(|c| *c != '\u{307}').map(|c| if c == '\u{a0}' { ' ' } else { c }).collect()
}

/// White space and the marks that turn the direction of a text.
pub(super) fn blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The largest number up to `most` at which a text can be cut.
pub(super) fn floor(text: &str, most: usize) -> usize {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_in_many_forms() {
        for (line, want) in [
            ("From: a", (Field::From, "a")),
            ("*From:* a", (Field::From, "a")),
            ("  *Sent*: now ", (Field::Date, "now")),
            ("De : Ann", (Field::From, "Ann")),
            ("Envoyé\u{a0}le : hier", (Field::Date, "hier")),
            ("发件人：a", (Field::From, "a")),
            ("Betreff: \tWort", (Field::Subject, "Wort")),
            ("\u{202b}מאת: a", (Field::From, "a")),
            ("Kopie (CC): a", (Field::Cc, "a")),
        ] {
            assert_eq!(field(line), Some(want), "{line}");
        }
        for line in ["Hello: a", "no colon", "", ":", "http://x", "Fromage: a"] {
            assert_eq!(field(line), None, "{line}");
        }
    }

    #[test]
    fn a_header_in_one_line_is_taken_apart() {
        let line = "Von: A <a@x>An: \"b@y\" <b@y>Gesendet: Dienstag, 2. November 2021, 09:26:50 MEZBetreff: Ein Wort: hier";
        let want = [
            (Field::From, "A <a@x>"),
            (Field::To, "\"b@y\" <b@y>"),
            (Field::Date, "Dienstag, 2. November 2021, 09:26:50 MEZ"),
            (Field::Subject, "Ein Wort: hier"),
        ];
        assert_eq!(fields_in_line(line), want);
    }
}
