//! How a mail stands in HubSpot: as sent, with its answers on the same contact, and as bounced once it came back.

use anyhow::{Result, ensure};
use threadline_testkit::lab::Lab;
use threadline_tests::Computer;
use threadline_tests::sinks::Place;

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";
const DORA: &str = "dora@customer2.example";

fn mail(id: &str, from: &str, to: &str, more: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: {id}\r\nMessage-ID: <{id}>\r\n{more}\r\ntext of {id}\r\n")
        .into_bytes()
}

fn report(of: &str, whom: &str) -> Vec<u8> {
    format!(
        "From: MAILER-DAEMON@mx.lab.test\r\nTo: {ANN}\r\nSubject: Undelivered Mail Returned to Sender\r\nMessage-ID: <r-{of}>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
         <{whom}>: host mx said: 550 5.1.1\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n\
         Final-Recipient: rfc822; {whom}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         Message-ID: <{of}>\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_sent_answered_or_bounced_in_hubspot() -> Result<()> {
    let place = Place::hubspot().await?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    place.set_up(&computer, &[(CARL, "Carl"), (DORA, "Dora")])?;
    computer.once()?.ok()?;
    let of = |name: &str| portal.contacts().iter().find(|c| c.get("email") == name).map(|c| c.id);
    lab.append(ANN, "Sent", &mail("1@lab.test", ANN, CARL, ""))?;
    lab.append(ANN, "Sent", &mail("2@lab.test", ANN, DORA, ""))?;
    computer.once()?.ok()?;
    let emails = || {
        let mut all = portal.emails();
        all.sort_by_key(|email| email.get("hs_email_subject").to_owned());
        all
    };
    ensure!(
        emails().iter().all(|email| email.get("hs_email_status") == "SENT") && emails().len() == 2,
        "{:#?}",
        emails()
    );

    // Carl answers, and the mail to Dora comes back.
    lab.deliver(ANN, &mail("3@mail.example", CARL, ANN, "In-Reply-To: <1@lab.test>\r\n"))?;
    lab.deliver(ANN, &report("2@lab.test", DORA))?;
    computer.once()?.ok()?;
    let now = emails();
    ensure!(now.len() == 3, "a report is no mail of its own: {now:#?}");
    let status: Vec<&str> = now.iter().map(|email| email.get("hs_email_status")).collect();
    ensure!(status == ["SENT", "BOUNCED", "SENT"], "{now:#?}");
    ensure!(now[2].get("hs_email_direction") == "INCOMING_EMAIL", "{now:#?}");
    let links: Vec<_> = now.iter().map(|email| portal.links(email.id)).collect();
    ensure!(
        links[0] == links[2] && links[0].first().copied() == of(CARL),
        "the answer is on Carl: {links:?}"
    );
    ensure!(links[1].first().copied() == of(DORA), "{links:?}");
    let left = computer.run(&["log", "--egress", "--limit", "500", "--json"])?.ok()?.json()?;
    let told = left.iter().filter(|line| line["field"] == "status" && line["object"] == "email").count();
    ensure!(told == 1, "it is booked once: {left:#?}");
    // It is said once.
    portal.forget_requests();
    computer.once()?.ok()?;
    let again = portal.requests().iter().filter(|request| request.line.contains("batch/update")).count();
    ensure!(again == 0, "{again} requests more");
    Ok(())
}
