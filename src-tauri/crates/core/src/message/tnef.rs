//! `winmail.dat` ([MS-OXTNEF]): how Outlook sends text and files to those that it takes for its own kind.

use super::rtf;
use mail_parser::decoders::charsets::map::charset_decoder;

/// Most files taken from one.
const MOST_FILES: usize = 200;
/// Most attributes and properties read.
const MOST_PIECES: usize = 20_000;
const SIGNATURE: u32 = 0x223e_9f78;

/// What one holds.
#[derive(Default)]
pub(super) struct Tnef<'a> {
    pub text: Option<String>,
    pub html: Option<String>,
    pub files: Vec<File<'a>>,
}

#[derive(Default)]
pub(super) struct File<'a> {
    pub name: Option<String>,
    pub media_type: Option<String>,
    pub bytes: &'a [u8],
}

/// Attributes that are read; the others are passed over.
mod attribute {
    pub const BODY: u32 = 0x0002_800c;
    pub const CODEPAGE: u32 = 0x0006_9007;
    pub const PROPERTIES: u32 = 0x0006_9003;
    /// The next file begins.
    pub const FILE: u32 = 0x0006_9002;
    pub const FILE_NAME: u32 = 0x0001_8010;
    pub const FILE_BYTES: u32 = 0x0006_800f;
    pub const FILE_PROPERTIES: u32 = 0x0006_9005;
}

/// Properties that are read ([MS-OXPROPS]).
mod property {
    pub const BODY: u16 = 0x1000;
    pub const RTF: u16 = 0x1009;
    pub const HTML: u16 = 0x1013;
    pub const CODEPAGE: u16 = 0x3fde;
    pub const FILE_BYTES: u16 = 0x3701;
    pub const FILE_NAME: u16 = 0x3704;
    pub const FILE_LONG_NAME: u16 = 0x3707;
    pub const FILE_TYPE: u16 = 0x370e;
}

/// Reads it. `None` where it is none; what is damaged ends where the damage begins.
pub(super) fn read(bytes: &[u8]) -> Option<Tnef<'_>> {
    let mut input = Input(bytes);
    if input.u32()? != SIGNATURE {
        return None;
    }
    input.take(2)?;
    let mut found = Tnef::default();
    let mut codepage = 1252;
    let mut body = None;
    let (mut html, mut packed) = (None, None);
    for _ in 0..MOST_PIECES {
        let Some((id, data)) = input.attribute() else { break };
        match id {
            attribute::CODEPAGE => codepage = Input(data).u32().unwrap_or(codepage),
            attribute::BODY => body = Some(string(data, codepage)),
            attribute::PROPERTIES => {
                let all = properties(data);
                // The codepage can stand behind what is written in it.
                if let Some(page) = all.iter().find(|p| p.id == property::CODEPAGE) {
                    codepage = Input(page.value).u32().unwrap_or(codepage);
                }
                for one in all {
                    match one.id {
                        property::BODY => body = Some(one.text(codepage)),
                        property::HTML => html = Some(one.text(codepage)),
                        property::RTF => packed = rtf::unpack(one.value),
                        _ => {}
                    }
                }
            }
            attribute::FILE if found.files.len() < MOST_FILES => found.files.push(File::default()),
            attribute::FILE_NAME | attribute::FILE_BYTES | attribute::FILE_PROPERTIES => {
                let Some(file) = found.files.last_mut() else { continue };
                match id {
                    attribute::FILE_NAME => {
                        file.name = file.name.take().or_else(|| Some(string(data, codepage)))
                    }
                    attribute::FILE_BYTES => file.bytes = data,
                    _ => file.take(&properties(data), codepage),
                }
            }
            _ => {}
        }
    }
    if body.is_none() && html.is_none() {
        match packed.map(|rtf| rtf::words(&rtf, |bytes| decoded(bytes, codepage))) {
            Some(rtf::Words::Html(words)) => html = Some(words),
            Some(rtf::Words::Text(words)) => body = Some(words),
            None => {}
        }
    }
    let words = |text: &String| !text.trim().is_empty();
    (found.text, found.html) = (body.filter(words), html.filter(words));
    found.files.retain(|file| !file.bytes.is_empty());
    Some(found)
}

impl<'a> File<'a> {
    fn take(&mut self, all: &[Property<'a>], codepage: u32) {
        for one in all {
            match one.id {
                property::FILE_LONG_NAME => self.name = Some(one.text(codepage)),
                property::FILE_NAME if self.name.is_none() => self.name = Some(one.text(codepage)),
                property::FILE_TYPE => self.media_type = Some(one.text(codepage)),
                property::FILE_BYTES if self.bytes.is_empty() => self.bytes = one.value,
                _ => {}
            }
        }
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_le_bytes([b[0], b[1]]))
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// Level, id, length, data, checksum. The checksum is not checked: a damaged text is better than none.
    fn attribute(&mut self) -> Option<(u32, &'a [u8])> {
        self.take(1)?;
        let id = self.u32()?;
        let length = self.u32()? as usize;
        let data = self.take(length.min(self.0.len()))?;
        self.take(2.min(self.0.len()))?;
        Some((id, data))
    }
}

struct Property<'a> {
    id: u16,
    unicode: bool,
    value: &'a [u8],
}

impl Property<'_> {
    fn text(&self, codepage: u32) -> String {
        match self.unicode {
            true => {
                let units: Vec<u16> =
                    self.value.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
                String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
            }
            false => string(self.value, codepage),
        }
    }
}

/// The properties of a list ([MS-OXTNEF] §2.1.3.4), of each the first value. What is not known ends the list.
fn properties(data: &[u8]) -> Vec<Property<'_>> {
    let mut input = Input(data);
    let mut all = Vec::new();
    let count = input.u32().unwrap_or(0) as usize;
    for _ in 0..count.min(MOST_PIECES) {
        let Some(one) = property(&mut input) else { break };
        all.push(one);
    }
    all
}

fn property<'a>(input: &mut Input<'a>) -> Option<Property<'a>> {
    let (kind, id) = (input.u16()?, input.u16()?);
    if id >= 0x8000 {
        input.take(16)?;
        match input.u32()? {
            0 => {
                input.take(4)?;
            }
            _ => {
                let length = input.u32()? as usize;
                padded(input, length)?;
            }
        }
    }
    let many = kind & 0x1000 != 0;
    let kind = kind & 0x0fff;
    let variable = matches!(kind, 0x0d | 0x1e | 0x1f | 0x102);
    let values = if many || variable { input.u32()? as usize } else { 1 };
    let mut first = None;
    for _ in 0..values.min(MOST_PIECES) {
        let value = match kind {
            0x0d | 0x1e | 0x1f | 0x102 => {
                let length = input.u32()? as usize;
                padded(input, length)?
            }
            2 | 3 | 4 | 0x0a | 0x0b => input.take(4)?,
            5 | 6 | 7 | 0x14 | 0x40 => input.take(8)?,
            0x48 => input.take(16)?,
            _ => return None,
        };
        first = first.or(Some(value));
    }
    // In front of an object stands what it is.
    Some(Property { id, unicode: kind == 0x1f, value: first.unwrap_or_default() })
}

/// A value, and the zeros behind it up to a multiple of four.
fn padded<'a>(input: &mut Input<'a>, length: usize) -> Option<&'a [u8]> {
    let value = input.take(length)?;
    let zeros = (4 - length % 4) % 4;
    input.take(zeros.min(input.0.len()))?;
    Some(value)
}

fn string(bytes: &[u8], codepage: u32) -> String {
    decoded(bytes, codepage).trim_end_matches('\0').to_owned()
}

fn decoded(bytes: &[u8], codepage: u32) -> String {
    if codepage == 65_001 || codepage == 0 {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let names = [format!("windows-{codepage}"), format!("cp{codepage}"), east_asian(codepage).to_owned()];
    match names.iter().find_map(|name| charset_decoder(name.as_bytes())) {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn east_asian(codepage: u32) -> &'static str {
    match codepage {
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        20_866 => "koi8-r",
        28_591 => "iso-8859-1",
        28_592 => "iso-8859-2",
        50_220..=50_222 => "iso-2022-jp",
        54_936 => "gb18030",
        _ => "windows-1252",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(id: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        [&[1][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
    }

    fn unicode(id: u16, text: &str) -> Vec<u8> {
        let mut value: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        let length = u32::try_from(value.len()).unwrap();
        value.resize(value.len().next_multiple_of(4), 0);
        [&0x1fu16.to_le_bytes()[..], &id.to_le_bytes(), &1u32.to_le_bytes(), &length.to_le_bytes(), &value]
            .concat()
    }

    pub(in super::super) fn sample() -> Vec<u8> {
        let properties =
            [&2u32.to_le_bytes()[..], &[3, 0, 0xde, 0x3f, 0xe4, 4, 0, 0], &unicode(property::BODY, "Grüße")]
                .concat();
        let file =
            [&1u32.to_le_bytes()[..], &unicode(property::FILE_LONG_NAME, "Angebot für Ann.pdf")].concat();
        [
            &SIGNATURE.to_le_bytes()[..],
            &[0, 0],
            &attribute(attribute::CODEPAGE, &[0xe4, 4, 0, 0, 0, 0, 0, 0]),
            &attribute(attribute::PROPERTIES, &properties),
            &attribute(attribute::FILE, &[0; 14]),
            &attribute(attribute::FILE_NAME, b"ANGEBO~1.PDF\0"),
            &attribute(attribute::FILE_BYTES, b"%PDF"),
            &attribute(attribute::FILE_PROPERTIES, &file),
        ]
        .concat()
    }

    #[test]
    fn text_and_files_are_found() {
        let bytes = sample();
        let found = read(&bytes).unwrap();
        assert_eq!(found.text.as_deref(), Some("Grüße"));
        assert_eq!(found.files.len(), 1);
        assert_eq!(found.files[0].name.as_deref(), Some("Angebot für Ann.pdf"));
        assert_eq!(found.files[0].bytes, b"%PDF");
        assert!(read(b"no").is_none() && read(b"nothing of the kind").is_none());
    }

    #[test]
    fn text_in_the_old_form_is_decoded() {
        let bytes =
            [&SIGNATURE.to_le_bytes()[..], &[0, 0], &attribute(attribute::BODY, b"Gr\xfc\xdfe\0")].concat();
        assert_eq!(read(&bytes).unwrap().text.as_deref(), Some("Grüße"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..200, byte: u8, cut in 0usize..300) {
            let mut damaged = sample();
            let at = at % damaged.len();
            damaged[at] = byte;
            read(&damaged[..cut.min(damaged.len())]);
            read(&[&SIGNATURE.to_le_bytes()[..], &bytes].concat());
        }
    }

    #[test]
    fn a_bomb_ends() {
        let many = [&SIGNATURE.to_le_bytes()[..], &[0, 0], &attribute(attribute::FILE, &[]).repeat(100_000)]
            .concat();
        assert!(read(&many).unwrap().files.is_empty());
        let count = [&u32::MAX.to_le_bytes()[..], &[0x02, 0x11, 0, 0x10, 255, 255, 255, 255]].concat();
        assert!(properties(&count).len() <= 1);
    }
}
