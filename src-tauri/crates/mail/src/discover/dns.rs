//! What DNS says of a domain's mail: SRV records (RFC 6186, RFC 8314 §5.1), and the provider that takes its mail (MX).

use super::answer::{Answer, Named};
use super::network::{Network, Srv};
use super::web::Missed;
use super::{Candidate, Source};
use crate::connect::Security;
use crate::provider;
use futures::future::join_all;
use threadline_core::address::Address;

/// The service, and how it is encrypted. The preferred come first: TLS from the first byte (RFC 8314 §3).
const IMAP: [(&str, Security); 2] = [("_imaps", Security::Tls), ("_imap", Security::StartTls)];
const SMTP: [(&str, Security); 2] = [("_submissions", Security::Tls), ("_submission", Security::StartTls)];
const POP3: [&str; 2] = ["_pop3s", "_pop3"];

/// Asks for SRV records.
pub(super) async fn srv(network: &dyn Network, address: &Address) -> Result<Answer, Missed> {
    let services = IMAP.iter().chain(&SMTP).map(|(service, _)| *service).chain(POP3);
    let names = services.map(|service| format!("{service}._tcp.{}", address.domain()));
    let asked: Vec<String> = names.collect();
    let answers = join_all(asked.iter().map(|name| network.srv(name))).await;
    if answers.iter().all(Result::is_err) {
        return Err(Missed::Silent);
    }
    let mut found = answers.into_iter().map(|answer| in_order(answer.unwrap_or_default()));
    let mut next = || found.next().unwrap_or_default();
    let mut named = Named::default();
    for (_, security) in IMAP {
        next().iter().for_each(|srv| named.imap(&srv.target, srv.port, Some(security), None));
    }
    for (_, security) in SMTP {
        next().iter().for_each(|srv| named.smtp(&srv.target, srv.port, Some(security)));
    }
    for _ in POP3 {
        next().iter().for_each(|srv| named.pop3(&srv.target, srv.port));
    }
    Ok(named.judged(address, Source::Srv, &[]))
}

/// By priority, and within one by weight, the heavier first. RFC 2782 draws among them by chance; here the answer is to be
/// the same each time. A target that is the root says that the service is not there.
fn in_order(mut records: Vec<Srv>) -> Vec<Srv> {
    records.retain(|srv| !srv.target.is_empty() && srv.port != 0);
    records.sort_by(|a, b| (a.priority, b.weight, &a.target).cmp(&(b.priority, a.weight, &b.target)));
    records
}

/// Asks which provider takes the domain's mail, and gives that one's servers.
pub(super) async fn mx(network: &dyn Network, address: &Address) -> Result<Answer, Missed> {
    let hosts = network.mx(address.domain()).await?;
    let provider = hosts.iter().find_map(|host| provider::of_host(host));
    Ok(provider.map(|provider| of_provider(provider, address, Source::Mx)).unwrap_or_default())
}

/// The settings that the table has. They can be trusted whoever led here: they are Threadline's own.
pub(super) fn of_provider(
    provider: &'static provider::Provider,
    address: &Address,
    source: Source,
) -> Answer {
    let domain = address.domain();
    let candidate = provider.imap(domain).map(|imap| Candidate {
        imap,
        smtp: provider.smtp(domain),
        user: provider.user(address),
        source,
        provider: Some(provider),
        doubts: Vec::new(),
    });
    Answer { candidates: candidate.into_iter().collect(), pop3: provider.pop3(domain).into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_by_priority_and_weight_and_the_root_says_no() {
        let srv =
            |priority, weight, port, target: &str| Srv { priority, weight, port, target: target.into() };
        let sorted = in_order(vec![
            srv(20, 9, 993, "later.example"),
            srv(10, 1, 993, "light.example"),
            srv(10, 5, 993, "heavy.example"),
            srv(0, 0, 0, ""),
            srv(0, 0, 993, ""),
        ]);
        let targets: Vec<&str> = sorted.iter().map(|srv| srv.target.as_str()).collect();
        assert_eq!(targets, ["heavy.example", "light.example", "later.example"]);
    }
}
