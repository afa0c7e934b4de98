//! Looking for messages by words, on scripted servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use threadline_mail::find::{Found, words};
use threadline_mail::session::Folder;

const SINCE: &str = "2026-11-10T12:00:00Z";

/// Plays these steps behind the sign-in and looks for the words; gives what was found and what was said.
async fn find(steps: Vec<(String, String)>, question: &str) -> Found {
    let mut stage = Stage::new(PLAIN, move |script| play(script, &steps)).await;
    let mut session = stage.open().await.unwrap();
    let found = session.find(&Folder::inbox(), SINCE.parse().unwrap(), &words(question), 2).await;
    drop(session);
    stage.said().await;
    found.unwrap()
}

fn uids_of(found: &Found) -> Vec<u32> {
    found.arrivals.iter().map(|a| a.uid).collect()
}

#[tokio::test]
async fn the_newest_are_read_by_one_search_and_one_fetch() {
    let found = find(
        vec![
            examine(30, 40),
            step(
                "UID SEARCH 1:30 SINCE 10-Nov-2026 OR OR OR TO \"bob\" CC \"bob\" BCC \"bob\" SUBJECT \"bob\"",
                "* SEARCH 5 31 7\r\n{tag} OK done\r\n",
            ),
            step("UID FETCH 31,7 (UID FLAGS", format!("{}{}{OK}", header(2, 7, "a"), header(9, 31, "b"))),
        ],
        "Bob",
    )
    .await;
    assert_eq!((found.uidvalidity, uids_of(&found)), (7, vec![31, 7]));
}

#[tokio::test]
async fn words_that_are_no_ascii_go_as_literals() {
    let found = find(
        vec![
            examine(3, 40),
            step("UID SEARCH CHARSET UTF-8 1:3 SINCE 10-Nov-2026 OR OR OR TO {7}", GO),
            step("müller CC {7}", GO),
            step("müller BCC {7}", GO),
            step("müller SUBJECT {7}", GO),
            step("müller", "* SEARCH 3\r\nT3 OK done\r\n"),
            step("UID FETCH 3 (UID", format!("{}{OK}", header(1, 3, "x"))),
        ],
        "Müller",
    )
    .await;
    assert_eq!(uids_of(&found), [3]);
}

#[tokio::test]
async fn a_server_without_the_character_set_is_asked_for_all_and_compared_here() {
    let found = find(
        vec![
            examine(3, 40),
            step("UID SEARCH CHARSET UTF-8", "{tag} NO [BADCHARSET (US-ASCII)] no\r\n"),
            step("UID SEARCH 1:3 SINCE 10-Nov-2026", "* SEARCH 1 2 3\r\n{tag} OK done\r\n"),
            step(
                "UID FETCH 3,2,1 (UID",
                format!(
                    "{}{}{}{OK}",
                    header(1, 1, "Größe"),
                    header(2, 2, "other"),
                    header(3, 3, "GRÖSSE größe")
                ),
            ),
        ],
        "größe",
    )
    .await;
    assert_eq!(uids_of(&found), [3, 1]);
}

#[tokio::test]
async fn a_large_folder_is_searched_from_its_end_until_there_are_enough() {
    let found = find(
        vec![
            examine(25_000, 30_000),
            step("UID SEARCH 15001:25000 SINCE", "* SEARCH 29000\r\n{tag} OK done\r\n"),
            step("UID SEARCH 5001:15000 SINCE", "* SEARCH 12000\r\n{tag} OK done\r\n"),
            step("UID FETCH 29000,12000 (UID", format!("{}{OK}", header(9, 29_000, "x"))),
        ],
        "x",
    )
    .await;
    assert_eq!(uids_of(&found), [29_000], "one is gone meanwhile");
}

#[tokio::test]
async fn an_empty_folder_is_not_searched() {
    assert_eq!(uids_of(&find(vec![examine(0, 1)], "x").await), [0_u32; 0]);
}
