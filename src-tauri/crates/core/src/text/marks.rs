//! The lines by which mail programs set off what is not new in a text.

use super::fields::{blank, floor, lower};

/// Parts of words that stand for a forward between dashes.
#[rustfmt::skip]
const FORWARD_STEMS: &[&str] = &[
    "forward", "fwd", "weitergeleit", "transféré", "transfere", "transmis", "réexpéd", "reexped",
    "reenviad", "inoltrat", "encaminhad", "reencaminh", "doorgestu", "doorgezond", "vidarebef",
    "videresend", "välitetty", "edelleen", "przekaz", "przesł", "přeposl", "preposl", "odovzdan",
    "proslijeđ", "prosleđ", "posredov", "továbbít", "redirec", "înaint", "retransmis", "пересыл", "пересл",
    "переадрес", "перенаправ", "препрат", "прослед", "iletil", "yönlendir", "προωθ", "edasta", "pārsūt",
    "persiųst", "転送", "转发", "轉寄", "轉發", "전달", "הועבר", "שהועבר", "توجيه", "chuyển tiếp", "terusan",
    "diterus", "ส่งต่อ", "reenviat",
];

/// Lines that begin a forward without dashes, in lower case, without the colon at their end.
#[rustfmt::skip]
const FORWARD_LINES: &[&str] = &[
    "begin forwarded message", "start of forwarded message", "forwarded message", "forwarded email",
    "anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail",
    "beginn der weitergeleiteten nachricht", "weitergeleitete nachricht", "début du message transféré",
    "début du message réexpédié", "message transféré", "message réexpédié", "inicio del mensaje reenviado",
    "mensaje reenviado", "inizio messaggio inoltrato", "inizio del messaggio inoltrato",
    "messaggio inoltrato", "início da mensagem encaminhada", "início da mensagem reencaminhada",
    "mensagem encaminhada", "mensagem reencaminhada", "begin doorgestuurd bericht", "doorgestuurd bericht",
    "vidarebefordrat mejl", "vidarebefordrat brev", "vidarebefordrat meddelande",
    "påbörja vidarebefordrat meddelande", "början på vidarebefordrat meddelande",
    "start på videresendt besked", "starten på videresendt besked", "videresendt besked",
    "start på videresendt melding", "begynnelse på videresendt melding",
    "begynnelsen på videresendt melding", "videresendt melding", "videresendt meddelelse",
    "start på videresendt meddelelse", "välitetty viesti alkaa", "välitetty viesti",
    "edelleenlähetetty viesti", "początek przekazywanej wiadomości", "przekazana wiadomość",
    "wiadomość przekazana", "začátek přeposílané zprávy", "přeposlaná zpráva",
    "začiatok preposlanej správy", "začiatok preposielanej správy", "začiatok odovzdanej správy",
    "preposlaná správa", "započni proslijeđenu poruku", "početak proslijeđene poruke",
    "proslijeđena poruka", "začetek posredovanega sporočila", "továbbított levél kezdete",
    "továbbított üzenet kezdete", "továbbított üzenet", "továbbított levél",
    "începutul mesajului redirecționat", "începe mesajul redirecționat", "mesaj redirecționat",
    "începutul mesajului înaintat", "начало переадресованного сообщения",
    "начало переадресованного письма", "переадресованное сообщение", "пересланное сообщение",
    "пересылаемое сообщение", "пересылаемое письмо", "початок листа, що пересилається",
    "початок переадресованого повідомлення", "початок пересланого повідомлення", "переслане повідомлення",
    "начало на препратеното съобщение", "iletilen mesajın başlangıcı", "ileti başlangıcı",
    "başlangıç: iletilen mesaj", "iletilmiş mesaj", "iletilen mesaj", "iletilen ileti", "iletilmiş ileti",
    "yönlendirilen mesaj", "έναρξη προωθημένου μηνύματος", "αρχή προωθημένου μηνύματος",
    "προωθημένο μήνυμα", "転送されたメッセージ", "転送メッセージ", "以下为转发的邮件", "以下是转发的邮件", "开始转发的邮件", "转发的邮件", "已转发的邮件",
    "開始轉寄郵件", "以下是轉寄的郵件", "轉寄的郵件", "전달된 메시지", "전달된 메일", "תחילת ההודעה שהועברה", "הודעה שהועברה",
    "بدء الرسالة المعاد توجيهها", "بدء الرسالة المُعاد توجيهها", "رسالة معاد توجيهها",
    "bắt đầu thư được chuyển tiếp", "thư đã chuyển tiếp", "pesan terusan", "mulai pesan yang diteruskan",
    "เริ่มข้อความที่ส่งต่อ", "edastatud kirja algus",
];

/// Parts of words that stand for the end of a forward between dashes.
#[rustfmt::skip]
const END_STEMS: &[&str] =
    &["end", "ende ", "fin ", "fine ", "конец", "кінець", "konec", "koniec", "slut", "einde", "終了", "结束"];

/// Lines that begin the message that is answered, in lower case, without dashes.
#[rustfmt::skip]
const ORIGINAL_LINES: &[&str] = &[
    "original message", "original-nachricht", "originalnachricht", "ursprüngliche nachricht",
    "ursprüngliche mail", "original e-mail", "original email", "original mail", "original appointment",
    "ursprünglicher termin", "message d'origine", "message original", "message initial",
    "courriel d'origine", "mail original", "e-mail d'origine", "rendez-vous d'origine", "mensaje original",
    "correo original", "messaggio originale", "messaggio originario", "mensagem original",
    "oorspronkelijk bericht", "origineel bericht", "oorspronkelijke bericht", "ursprungligt meddelande",
    "originalmeddelande", "oprindelig meddelelse", "original meddelelse", "opprinnelig melding",
    "original melding", "alkuperäinen viesti", "wiadomość oryginalna", "oryginalna wiadomość",
    "original wiadomość", "původní zpráva", "původní e-mail", "původní email", "pôvodná správa",
    "pôvodný e-mail", "izvorna poruka", "originalna poruka", "izvirno sporočilo", "eredeti üzenet",
    "eredeti levél", "mesaj original", "mesajul original", "исходное сообщение", "исходное письмо",
    "оригинальное сообщение", "вихідне повідомлення", "оригінальне повідомлення", "оригінал повідомлення",
    "оригинално съобщение", "özgün ileti", "orijinal mesaj", "orjinal mesaj", "orijinal ileti",
    "αρχικό μήνυμα", "αρχικό μήνυμα ηλεκτρονικού ταχυδρομείου", "originaalkiri", "algne kiri",
    "pirminis pranešimas", "oriģinālais ziņojums", "元のメッセージ", "原始邮件", "原始郵件", "原邮件", "邮件原件", "원본 메시지",
    "원본 메일", "הודעה מקורית", "ההודעה המקורית", "الرسالة الأصلية", "thư gốc", "tin nhắn gốc", "pesan asli",
    "ข้อความต้นฉบับ", "reply message", "reply above this line", "replied message", "weergegeven bericht",
    "missatge original",
];

/// How the line begins by which programs on telephones and the like name themselves, in lower case.
#[rustfmt::skip]
const DEVICE_LINES: &[&str] = &[
    "sent from my ", "sent from mail for ", "sent from outlook", "sent from yahoo", "sent from proton",
    "sent from ", "sent via ", "sent with ", "sent using ", "get outlook for ", "von meinem ",
    "von meiner ", "gesendet von ", "gesendet mit ", "gesendet über ", "diese nachricht wurde von meinem ",
    "holen sie sich outlook", "outlook für ios beziehen", "envoyé de mon ", "envoyé depuis ",
    "envoyé à partir de ", "envoyé avec ", "envoyé d'", "obtenez outlook pour", "télécharger outlook pour",
    "enviado desde ", "enviado de ", "enviado do ", "enviado a partir do ", "enviado por ", "enviado con ",
    "enviado via ", "obtener outlook para", "obter o outlook para", "inviato da ", "inviato dal ",
    "scarica outlook per", "ottieni outlook per", "verzonden vanaf ", "verstuurd vanaf ", "verzonden met ",
    "outlook voor ", "skickat från ", "skickat via ", "hämta outlook för", "sendt fra ",
    "hent outlook til", "last ned outlook for", "få outlook for", "lähetetty ", "hanki outlook",
    "wysłane z ", "wysłano z ", "pobierz aplikację outlook", "pobierz program outlook", "odesláno z ",
    "odesláno ze ", "odoslané z ", "odoslané zo ", "stáhnout outlook", "poslano iz ", "poslano z ",
    "küldve a", "az iphone-omról küldve", "iphone-ról küldve", "trimis de pe ", "trimis din ",
    "отправлено с ", "отправлено из ", "отправлено на ", "скачать outlook", "надіслано з ",
    "відправлено з ", "iphone'umdan gönderildi", "iphone'dan gönderildi", "ipad'imden gönderildi",
    "στάλθηκε από ", "saadetud minu ", "iphoneから送信", "私のiphoneから送信", "发自我的", "从我的", "從我的", "發自我的",
    "나의 iphone에서 보냄", "내 iphone에서 보냄", "נשלח מה", "נשלח מ", "أُرسلت من", "تم الإرسال من", "gửi từ ",
    "dikirim dari ", "ส่งจาก ", "изпратено от ",
];

/// How a person closes a mail, in lower case, without the comma at its end. What stands behind it is a signature.
#[rustfmt::skip]
const CLOSINGS: &[&str] = &[
    "regards", "best regards", "kind regards", "kindest regards", "warm regards", "warmest regards",
    "with regards", "with kind regards", "with best regards", "many regards", "best wishes",
    "with best wishes", "sincerely", "yours sincerely", "sincerely yours", "yours faithfully",
    "yours truly", "respectfully", "mit freundlichen grüßen", "mit freundlichen grüssen",
    "mit freundlichem gruß", "mit besten grüßen", "mit freundlichen gruessen", "mit herzlichen grüßen",
    "freundliche grüße", "freundliche grüsse", "beste grüße", "beste grüsse", "viele grüße",
    "viele grüsse", "liebe grüße", "herzliche grüße", "schöne grüße", "mfg", "lg", "vg", "cordialement",
    "bien cordialement", "très cordialement", "sincères salutations", "meilleures salutations",
    "salutations distinguées", "bien à vous", "saludos", "un saludo", "saludos cordiales",
    "un cordial saludo", "atentamente", "cordiali saluti", "distinti saluti", "un saluto",
    "atenciosamente", "cumprimentos", "com os melhores cumprimentos", "melhores cumprimentos",
    "met vriendelijke groet", "met vriendelijke groeten", "vriendelijke groet", "vriendelijke groeten",
    "hartelijke groet", "mvg", "med vänliga hälsningar", "med vänlig hälsning", "vänliga hälsningar",
    "vänligen", "med venlig hilsen", "venlig hilsen", "mvh", "med vennlig hilsen", "vennlig hilsen",
    "hilsen", "ystävällisin terveisin", "terveisin", "z poważaniem", "pozdrawiam", "s pozdravem",
    "s pozdravom", "s poštovanjem", "lijep pozdrav", "lep pozdrav", "üdvözlettel", "tisztelettel",
    "cu stimă", "cu respect", "с уважением", "з повагою", "с уважение", "saygılarımla", "iyi çalışmalar",
    "με εκτίμηση", "lugupidamisega", "pagarbiai", "ar cieņu", "trân trọng", "hormat saya", "salam",
];

/// What a line of dashes, equal signs or underscores holds, in lower case; `None` where it is no such line. White space, quote
/// marks and asterisks around it do not count.
fn framed(line: &str) -> Option<String> {
    let line = line.trim_matches(|c| blank(c) || matches!(c, '*' | '>' | '|'));
    let dash = |c: char| matches!(c, '-' | '=' | '_' | '—' | '–' | '‐' | '~' | '+' | '─');
    let inner = line.trim_start_matches(dash);
    let before = line[..line.len() - inner.len()].chars().count();
    let text = inner.trim_end_matches(|c| dash(c) || blank(c) || c == ':').trim_matches(blank);
    let ends = inner.ends_with(dash) || inner.ends_with(':');
    (before >= 2 && !text.is_empty() && (ends || before >= 4) && line.len() <= 400).then(|| lower(text))
}

/// True for a line that begins a forward.
pub(super) fn begins_forward(line: &str) -> bool {
    if line.len() > 400 {
        return false;
    }
    if let Some(text) = framed(line) {
        return text.chars().count() <= 120
            && FORWARD_STEMS.iter().any(|stem| text.contains(stem))
            && !END_STEMS.iter().any(|stem| text.starts_with(stem));
    }
    let line = line.trim_matches(|c| blank(c) || matches!(c, '*' | '_'));
    let Some(text) = line.strip_suffix([':', '：']) else { return false };
    FORWARD_LINES.contains(&lower(text.trim_matches(|c| blank(c) || c == '*')).as_str())
}

/// True for a line that ends a forward.
pub(super) fn ends_forward(line: &str) -> bool {
    framed(line).is_some_and(|text| {
        END_STEMS.iter().any(|stem| text.starts_with(stem))
            && FORWARD_STEMS.iter().any(|stem| text.contains(stem))
    })
}

/// Where a forward begins in mid-line, with the whole header behind it: the text before it, and the text behind it.
pub(super) fn forward_in_line(line: &str) -> Option<(&str, &str)> {
    let start = line.find("---")?;
    let line_end = floor(line, start + 200);
    let inner = line[start..line_end].trim_start_matches('-');
    let text_at = line_end - inner.len();
    let close = inner.find("---")?;
    let text = lower(inner[..close].trim());
    let rest = line[text_at + close..].trim_start_matches('-');
    let stem = FORWARD_STEMS.iter().any(|stem| text.contains(stem));
    (stem && !rest.trim().is_empty()).then(|| (&line[..start], rest.trim()))
}

/// True for a line that begins the message that is answered.
pub(super) fn begins_original(line: &str) -> bool {
    framed(line).is_some_and(|text| {
        let text = text.replace('’', "'");
        ORIGINAL_LINES.contains(&text.as_str())
    })
}

/// True for a line of underscores or dashes and nothing else.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim_matches(blank);
    let count = line.chars().count();
    (8..=400).contains(&count) && line.chars().all(|c| matches!(c, '_' | '-' | '=' | '—' | '‐' | '─'))
}

/// True for a line by which a program on a telephone names itself.
pub(super) fn names_device(line: &str) -> bool {
    let line = line.trim_matches(|c| blank(c) || matches!(c, '*' | '_' | '[' | '(' | '-' | '—'));
    let head = line[..floor(line, 100)].to_lowercase().replace('’', "'");
    // A sentence that begins alike is longer, and it ends like one.
    line.len() <= 160
        && line.split_whitespace().count() <= 12
        && DEVICE_LINES.iter().any(|start| head.starts_with(start))
        && !line.ends_with(['?', ':', ','])
}

/// True for a line that closes a mail.
pub(super) fn closes(line: &str) -> bool {
    let line = line.trim_matches(blank);
    // In two languages: "Mit freundlichen Grüßen / Best regards".
    line.len() <= 120
        && line.split(" / ").all(|part| {
            let text = part.trim_end_matches([',', '.', '!', ';']).trim_end().to_lowercase();
            CLOSINGS.contains(&text.as_str())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwards_are_set_off_in_many_ways() {
        for line in [
            "---------- Forwarded message ---------",
            "-------- Weitergeleitete Nachricht --------",
            "> Begin forwarded message:".trim_start_matches("> "),
            "Début du message réexpédié :",
            "----- Forwarded by Ann/ACME on 10/27/2021 09:31 AM -----",
            "----- Forwarded message from Ann <ann@x> -----",
            "============ Forwarded message ============",
            "--- Treść przekazanej wiadomości ---",
            "-------- Пересылаемое сообщение --------",
            "---------- 转发的邮件 ----------",
        ] {
            assert!(begins_forward(line), "{line}");
        }
        for line in [
            "----- End forwarded message -----",
            "-------- Конец пересылаемого сообщения --------",
            "I look forward to it:",
            "-- forwarded",
            "Forwarded message",
            "",
        ] {
            assert!(!begins_forward(line), "{line}");
        }
        assert!(ends_forward("----- End forwarded message -----"));
    }

    #[test]
    fn the_other_marks_are_known() {
        assert!(
            begins_original("-----Ursprüngliche Nachricht-----")
                && begins_original("----- Message d’origine -----")
        );
        assert!(!begins_original("original message"));
        assert!(
            names_device("Sent from my iPhone")
                && names_device("Envoyé de mon iPad")
                && names_device("发自我的 iPhone")
        );
        assert!(!names_device(
            "Sent from the warehouse yesterday, the parcel will reach you on Monday before noon.",
        ));
        assert!(
            closes("Mit freundlichen Grüßen")
                && closes("Regards,")
                && !closes("Best regards to your wife and the children")
        );
        assert_eq!(forward_in_line("a ----- Forwarded Message ----- From: b"), Some(("a ", "From: b")));
        assert!(is_rule("________________") && !is_rule("___"));
    }
}
