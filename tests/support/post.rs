//! Owns places with a segment of e-mails and a set-up that names a mail server.

use super::place::Place;
use super::smtp::SmtpServer;

/// The headers of a message to a contact, and no other; the copy for a seed has `X-Mailrun-Copy` besides.
pub(crate) const HEADERS: [&str; 11] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Precedence",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
];

/// A place with a segment of so many contacts, who all get the letter of `mailrun init` by e-mail.
pub(crate) fn place_with_messages(n_contacts: usize) -> Place {
    let place = Place::with_copy_of("templates/init");
    let mut contacts =
        "no,Company,first_name,surname,address,post_code,city,email,correspondence_type,salutation_code\n"
            .to_owned();
    for number in 1..=n_contacts {
        contacts += &format!(
            "CT{number:06},,Anna,Muster{number},Weg {number},8000,Zürich,{},email,F\n",
            address(number)
        );
    }
    place.write("contacts.csv", contacts);
    let segment = place.read_text("segment.toml");
    let until_lines = segment.split("[[line]]").next().expect("a split has a first part");
    place.write("segment.toml", until_lines.replace("[segment]\n", "[segment]\nno = \"SM00001\"\n"));
    place
}

/// The address of a contact.
pub(crate) fn address(number: usize) -> String {
    format!("anna.{number}@example.org")
}

/// Sets the server of a place; `more` are further lines of `[smtp]`.
pub(crate) fn set_server(place: &Place, server: &SmtpServer, more: &str) {
    set_url(place, &format!("smtp://127.0.0.1:{}", server.port), more);
}

/// Sets the URL of a place's server.
pub(crate) fn set_url(place: &Place, url: &str, more: &str) {
    let setup = place.read_text("mailrun.toml");
    let kept = setup.split("[smtp]\n").next().expect("a split has a first part");
    let after = setup.split_once("reply_to = \"{{salesperson.email}}\"\n").expect("the sample has it").1;
    let from = "from = \"Weber Woodworks <post@weber.example>\"\nreply_to = \"{{salesperson.email}}\"\n";
    place.write("mailrun.toml", format!("{kept}[smtp]\nurl = \"{url}\"\n{more}\n{from}{after}"));
}
