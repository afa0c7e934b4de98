//! Cleaning the HTML of mails made to be slow. The time of a row must grow with its size and no faster.

use std::time::Instant;
use threadline_html::clean;

/// What is repeated, and what stands before it.
const SHAPES: &[(&str, &str, &str)] = &[
    ("plain paragraphs", "", "<p>Some words of a letter, and <b>bold</b> ones.</p>"),
    ("nested <div>", "", "<div>"),
    ("nested <font>, each its own", "", "<font size=1>"),
    ("nested tables", "", "<table><tr><td>"),
    ("paragraphs in open formatting", "<b><i><u><s><tt><em>", "<p>x<b>"),
    ("text out of a table", "<table><b><i><u>", "<tr>x"),
    ("end tags of nothing", "<div><p>", "</b></i></table>"),
    ("attributes", "", "<td a=1 b=2 style=\"color:red;margin:1px 2px\" align=left>"),
    ("one long style", "<p style=\"", "color:red;"),
    ("unclosed comment", "<!--", "<p>x"),
    ("brackets", "", "<"),
];
/// In bytes.
const SIZES: &[usize] = &[64 << 10, 256 << 10, 1 << 20, 5 << 20];

pub fn run() {
    println!(
        "  milliseconds by bytes of HTML; above 1 MiB it is cut. In brackets: bytes of the result by bytes read"
    );
    for (name, before, piece) in SHAPES {
        let mut row = format!("    {name:<32}");
        for size in SIZES {
            let mut html = String::from(*before);
            while html.len() < *size {
                html.push_str(piece);
            }
            let begun = Instant::now();
            let shown = clean(&html, &[]);
            let time = begun.elapsed().as_secs_f64() * 1_000.0;
            let grown = shown.html.len() as f64 / html.len().min(threadline_html::MOST_HTML) as f64;
            row.push_str(&format!("{time:9.1} ({grown:4.1})"));
        }
        println!("{row}");
    }
}
