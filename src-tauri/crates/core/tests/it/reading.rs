//! Forwards of programs and languages that are in no pack, in the forms in which they write them.

#![allow(clippy::unwrap_used, reason = "a test may fail at any line")]

use threadline_core::text::forward::{Forward, read};

/// From, To, Cc, Date, Subject, and a line that begins a forward, as programs in a language name them.
const LANGUAGES: &[[&str; 6]] = &[
    ["Fra", "Til", "Kopi", "Dato", "Emne", "Start på videresendt besked:"],
    ["De", "À", "Cc", "Date", "Objet", "Début du message réexpédié :"],
    ["De", "À", "Cc", "Envoyé", "Objet", "---------- Message transféré ---------"],
    ["Expéditeur", "Destinataire", "Copie", "Date", "Sujet", "-------- Message transféré --------"],
    ["Feladó", "Címzett", "Másolatot kap", "Elküldve", "Tárgy", "-------- Továbbított üzenet --------"],
    ["De la", "Către", "Cc", "Trimis", "Subiect", "-------- Mesaj redirecționat --------"],
    [
        "Od",
        "Komu",
        "Kópia",
        "Odoslané",
        "Predmet",
        "-------- Preposlaná správa --- Forwarded Message --------",
    ],
    ["Gönderen", "Kime", "Bilgi", "Tarih", "Konu", "-------- İletilen İleti --------"],
    ["Kimden", "Kime", "Bilgi", "Gönderildi", "Konu", "----- İletilmiş Mesaj -----"],
    ["Από", "Προς", "Κοιν", "Ημερομηνία", "Θέμα", "---------- Προωθημένο μήνυμα ---------"],
    ["Від", "Кому", "Копія", "Надіслано", "Тема", "---------- Переслане повідомлення ---------"],
    ["差出人", "宛先", "Cc", "日付", "件名", "---------- 転送されたメッセージ ---------"],
    ["发件人", "收件人", "抄送", "发送时间", "主题", "---------- 转发的邮件 ---------"],
    ["寄件者", "收件者", "副本", "寄件日期", "主旨", "---------- 轉寄郵件 ---------"],
    ["보낸 사람", "받는 사람", "참조", "날짜", "제목", "---------- 전달된 메시지 ---------"],
    ["מאת", "אל", "עותק", "תאריך", "נושא", "---------- הודעה שהועברה ---------"],
    ["من", "إلى", "نسخة", "التاريخ", "الموضوع", "---------- رسالة معاد توجيهها ---------"],
    ["От", "До", "Копие", "Дата", "Относно", "-------- Препратено съобщение --------"],
    ["Saatja", "Saaja", "Koopia", "Kuupäev", "Teema", "-------- Edastatud kiri --------"],
    ["Från", "Till", "Kopia", "Skickat", "Ämne", "Vidarebefordrat brev:"],
    ["Von", "An", "Cc", "Gesendet", "Betreff", "Anfang der weitergeleiteten E-Mail:"],
    ["Từ", "Đến", "Cc", "Ngày", "Chủ đề", "---------- Thư được chuyển tiếp ---------"],
];

fn check(found: Option<Forward>, note: Option<&str>, told: &str) {
    let found = found.unwrap_or_else(|| panic!("not understood: {told}"));
    let from = found.from.unwrap();
    assert_eq!((from.name.as_deref(), from.address.as_str()), (Some("Ann Lee"), "ann@x.org"), "{told}");
    let to: Vec<&str> = found.to.iter().map(|m| m.address.as_str()).collect();
    assert_eq!(to, ["bob@y.org"], "{told}");
    let cc: Vec<&str> = found.cc.iter().map(|m| m.address.as_str()).collect();
    assert_eq!(cc, ["cy@z.org", "di@z.org"], "{told}");
    assert_eq!(found.subject.as_deref(), Some("Offer 12"), "{told}");
    assert!(found.date.is_some_and(|d| d.contains("2021")), "{told}");
    assert_eq!(found.note.as_deref(), note, "{told}");
    assert_eq!(found.body, "First line.\n\nLast line.", "{told}");
}

#[test]
fn a_forward_is_read_in_each_language_and_layout() {
    for [from, to, cc, date, subject, begin] in LANGUAGES {
        let header = format!(
            "{from}: Ann Lee <ann@x.org>\n{date}: 2021-10-27 09:31\n{subject}: Offer 12\n{to}: bob@y.org\n{cc}: Cy <cy@z.org>, Di <di@z.org>\n"
        );
        let body = "First line.\n\nLast line.";
        for note in ["", "See below.\n\n"] {
            let said = Some(note.trim()).filter(|n| !n.is_empty());
            // Gmail, Thunderbird, HubSpot: a mark and the header.
            let plain = format!("{note}{begin}\n{header}\n\n{body}\n");
            check(read(Some("Fwd: Offer 12"), &plain), said, &plain);
            check(read(Some("Any words"), &plain), said, &plain);
            // Apple Mail: everything quoted.
            let quoted: String =
                format!("{begin}\n\n{header}\n{body}").lines().map(|l| format!("> {l}\n")).collect();
            let quoted = format!("{note}{quoted}");
            check(read(Some("Fwd: Offer 12"), &quoted), said, &quoted);
            // Outlook: no mark, in bold, with the colons that the language has.
            let bold = header.replace(": ", ":* ").lines().map(|l| format!("*{l}\n")).collect::<String>();
            let outlook = format!("{note}________________________________\n{bold}\n{body}\n");
            check(read(Some("FW: Offer 12"), &outlook), said, &outlook);
            assert_eq!(read(Some("Re: Offer 12"), &outlook), None);
            assert_eq!(read(Some("Offer 12"), &outlook), None);
            // With Windows line ends, and white space in front of colons.
            let french = plain.replace(": ", "\u{a0}: ").replace('\n', "\r\n");
            let found = read(Some("TR: Offer 12"), &french).unwrap();
            assert_eq!(found.subject.as_deref(), Some("Offer 12"));
            assert_eq!(found.body.replace('\r', ""), body);
        }
    }
}

#[test]
fn other_programs_have_their_own_forms() {
    let body = "First line.\n\nLast line.";
    for text in [
        // Zoho repeats the mark.
        format!(
            "============ Forwarded message ============\nFrom: Ann Lee <ann@x.org>\nTo: <bob@y.org>\nCc: cy@z.org; di@z.org\nDate: Wed, 27 Oct 2021 09:31:00 +0200\nSubject: Offer 12\n============ Forwarded message ============\n\n{body}"
        ),
        // Mutt and Horde.
        format!(
            "----- Forwarded message from Ann Lee <ann@x.org> -----\n\nDate: Wed, 27 Oct 2021 09:31:00 +0200\nFrom: Ann Lee <ann@x.org>\nTo: bob@y.org\nCc: cy@z.org, di@z.org\nSubject: Offer 12\nUser-Agent: Mutt\n\n{body}\n\n----- End forwarded message -----\n"
        ),
        // Proton Mail.
        "------- Forwarded Message -------\nFrom: Ann Lee <ann@x.org>\nDate: On Wednesday, October 27th, 2021 at 9:31 AM\nSubject: Offer 12\nTo: bob@y.org <bob@y.org>\nCC: cy@z.org <cy@z.org>, di@z.org <di@z.org>\n\n> First line.\n> \n> Last line.\n"
        .to_owned(),
        // GMX and WEB.DE.
        format!(
            "Gesendet: Mittwoch, 27. Oktober 2021 um 09:31 Uhr\nVon: \"Ann Lee\" <ann@x.org>\nAn: bob@y.org\nCc: cy@z.org, di@z.org\nBetreff: Offer 12\n{body}"
        ),
        // Lotus Notes.
        format!(
            "----- Forwarded by Eve Roe/ACME on 10/28/2021 09:31 AM -----\n\nFrom:\tAnn Lee <ann@x.org>\nTo:\tbob@y.org\nCc:\tcy@z.org, di@z.org\nDate:\t10/27/2021 09:31 AM\nSubject:\tOffer 12\n\n{body}"
        ),
        // Roundcube, and Thunderbird of old.
        format!(
            "-------- Original Message --------\nSubject: Offer 12\nDate: 2021-10-27 09:31\nFrom: Ann Lee <ann@x.org>\nTo: bob@y.org\nCc: cy@z.org, di@z.org\n\n{body}"
        ),
        // KMail.
        format!(
            "----------  Forwarded Message  ----------\n\nSubject: Offer 12\nDate: Wednesday 27 October 2021, 09:31\nFrom: Ann Lee <ann@x.org>\nTo: bob@y.org\nCC: cy@z.org, di@z.org\n\n{body}"
        ),
        // Outlook with addresses in square brackets.
        format!(
            "-----Original Message-----\nFrom: Ann Lee [mailto:ann@x.org]\nSent: Wednesday, October 27, 2021 9:31 AM\nTo: bob@y.org\nCc: Cy [mailto:cy@z.org]; Di [mailto:di@z.org]\nSubject: Offer 12\n\n{body}"
        ),
    ] {
        check(read(Some("Fwd: Offer 12"), &text), None, &text);
    }
}

#[test]
fn the_line_of_an_answer_can_be_all_that_a_forward_has() {
    for line in [
        "Le 28/10/2021 12:46, « Ann Lee » <ann@x.org> a écrit :",
        "28/10/2021 12:46 időpontban Ann Lee <ann@x.org> ezt írta:",
        "Ann Lee <ann@x.org> skrev følgende den 28/10/2021 12:46:",
        "Em 28/10/2021, 12:46, \"Ann Lee\" <ann@x.org> escreveu:",
        "28/10/2021 12:46 používateľ Ann Lee (<ann@x.org>) napísal:",
        "\"Ann Lee\" <ann@x.org>, 28/10/2021 12:46 tarihinde şunu yazdı:",
        "D. 28/10/2021 12.46 skrev \"Ann Lee\" <ann@x.org>:",
        "På 28/10/2021 12:46 skrev Ann Lee <ann@x.org>:",
    ] {
        let text = format!("\u{feff}{line}\n\n    First line.\n    \n    Last line.\n");
        let found = read(Some("FW: Offer 12"), &text).unwrap_or_else(|| panic!("not understood: {line}"));
        let from = found.from.unwrap();
        assert_eq!((from.name.as_deref(), from.address.as_str()), (Some("Ann Lee"), "ann@x.org"), "{line}");
        assert_eq!(
            found.date.as_deref().map(|d| d.replace('.', ":").replace(',', "")),
            Some("28/10/2021 12:46".into()),
            "{line}"
        );
        assert_eq!(
            (found.subject.as_deref(), found.body.as_str()),
            (Some("Offer 12"), "First line.\n\nLast line.")
        );
        assert_eq!(read(Some("Re: Offer 12"), &text), None);
    }
}
