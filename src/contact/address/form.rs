//! Owns the form of an address on an envelope by country: the order of street, post code, city and county, what stands
//! between them, and where a post asks for capitals.

use super::PostalAddress;

/// Whether the company stands above the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameOrder {
    CompanyFirst,
    PersonFirst,
}

/// Returns the order of the names in a country, given by its code.
pub(super) fn name_order(code: &str) -> NameOrder {
    match code {
        "US" | "PR" | "CA" | "GB" | "IE" | "GG" | "JE" | "IM" | "AU" | "NZ" | "ZA" | "IN" | "SG" | "HK" => {
            NameOrder::PersonFirst
        }
        _ => NameOrder::CompanyFirst,
    }
}

/// Whether a letter goes to another country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Home,
    Abroad,
}

/// Returns the lines of an address below the names, in the form of a country, given by its code; empty if it is not known.
///
/// Abroad the place is in capitals everywhere (UPU, Letter Post Regulations: names of the locality and of the country of
/// destination in capital letters; DIN 5008 says the same).
pub(super) fn lines(address: &PostalAddress, code: &str, reach: Reach) -> Vec<String> {
    let county = county(address, code);
    let in_capitals = reach == Reach::Abroad || wants_capitals(code);
    let mut lines = Vec::new();
    for form in form(code, address, county).split('|') {
        if form == "A" {
            super::push(&mut lines, &address.address);
            super::push(&mut lines, &address.address_2);
            continue;
        }
        let line = line(form, address, county);
        super::push(&mut lines, &if in_capitals { capitals(&line, code) } else { line });
    }
    lines
}

/// Returns the lines of a country's addresses, parted by `|`: `A` is the street with what belongs to it, `Z` the post code, `C`
/// the city, `S` the county, state or province, `B` the same in brackets; other signs stand between two that are there.
///
/// Source: the UPU's sheets on addressing of DK, HU, IE, JP, KR, MX, TR, BR; Canada Post, How to address mail (two spaces before
/// the post code); `PostNL`, Addressing tips (two spaces behind it); USPS, Publication 28 §22; Post Office, Clear addressing (no
/// county beside post town and post code); Poste Italiane, Composizione indirizzi (2009); all others Google's address data
/// (libaddressinput), which is made from the same. A country that is not there has the most common form, with its county.
fn form(code: &str, address: &PostalAddress, county: &str) -> &'static str {
    let has_place = !address.city.trim().is_empty() && !address.post_code.trim().is_empty();
    match code {
        "DE" | "FR" | "CH" | "AT" | "LI" | "BE" | "LU" | "DK" | "SE" | "NO" | "FI" | "IS" | "PL" | "CZ"
        | "SK" | "SI" | "HR" | "PT" | "GR" | "EE" | "LT" | "RO" | "BG" | "RS" | "MC" | "IL" => "A|Z C",
        "NL" => "A|Z  C",
        "IT" | "SM" | "VA" => "A|Z C S",
        "ES" => "A|Z C B",
        "MX" => "A|Z C, S",
        "TR" => "A|Z C/S",
        "US" | "AS" | "FM" | "GU" | "MH" | "MP" | "PR" | "PW" | "UM" | "VI" | "AU" | "CC" | "CX" | "NF" => {
            "A|C S Z"
        }
        "CA" => "A|C S  Z",
        "JP" | "TW" => "A|C, S Z",
        "LV" => "A|S|C, Z",
        "PK" => "A|C-Z|S",
        "BD" => "A|C - Z|S",
        "NZ" | "SG" | "IN" | "KR" | "BH" | "BM" | "BN" | "BT" | "JO" | "KH" | "LB" | "LS" | "MV" | "NG"
        | "NP" | "PE" | "SA" => "A|C Z|S",
        "ID" | "MN" | "TH" | "VN" if county.is_empty() => "A|C Z",
        "ID" | "MN" | "TH" | "VN" => "A|C|S Z",
        "BR" => "A|C - S|Z",
        "GB" | "GG" | "JE" | "IM" | "ZA" if has_place => "A|C|Z",
        "GB" | "GG" | "JE" | "IM" | "ZA" | "IE" | "GI" | "RU" | "UA" | "HK" | "AF" | "AI" | "CR" | "CU"
        | "EG" | "FK" | "GS" | "HN" | "IO" | "IQ" | "KE" | "LK" | "NA" | "PN" | "SD" | "SH" | "SZ" | "TC"
        | "VG" => "A|C|S|Z",
        "HU" => "C|A|Z",
        _ => "A|Z C|S",
    }
}

/// Tells whether a country's own post asks for the place in capitals.
///
/// Source: La Poste, NF Z 10-011 (last line); Post Office, Clear addressing (post town and post code); `PostNL`, Addressing tips
/// (name of the city); Canada Post, How to address mail; USPS, Publication 28; Australia Post, Addressing guidelines (last
/// line); Poste Italiane, Composizione indirizzi; overseas France as France.
#[rustfmt::skip]
fn wants_capitals(code: &str) -> bool {
    matches!(
        code,
        "FR" | "BL" | "GF" | "GP" | "MF" | "MQ" | "NC" | "PF" | "PM" | "RE" | "WF" | "YT"
            | "GB" | "GG" | "JE" | "IM" | "NL" | "CA" | "AU" | "IT" | "SM" | "VA"
            | "US" | "AS" | "FM" | "GU" | "MH" | "MP" | "PR" | "PW" | "UM" | "VI"
    )
}

/// Returns the county as it is written: none where it repeats the city, the country's own code where that is a state's to the
/// USPS.
fn county<'a>(address: &'a PostalAddress, code: &'a str) -> &'a str {
    let county = address.county.trim();
    match code {
        "AS" | "FM" | "GU" | "MH" | "MP" | "PR" | "PW" | "VI" if county.is_empty() => code,
        "ES" | "IE" | "RU" | "TR" | "UA" if is_same(county, address.city.trim()) => "",
        _ => county,
    }
}

/// Tells whether a county is named as its city: `Co. Cork` and `Cork`.
fn is_same(county: &str, city: &str) -> bool {
    let (county, city) = (county.to_lowercase(), city.to_lowercase());
    let bare = ["county ", "co. ", "co "].iter().find_map(|kind| county.strip_prefix(kind));
    bare.unwrap_or(&county) == city
}

fn line(form: &str, address: &PostalAddress, county: &str) -> String {
    let (mut line, mut between) = (String::new(), String::new());
    for sign in form.chars() {
        let value = match sign {
            'Z' => address.post_code.trim().to_owned(),
            'C' => address.city.trim().to_owned(),
            'S' => county.to_owned(),
            'B' if county.is_empty() => String::new(),
            'B' => format!("({county})"),
            other => {
                between.push(other);
                continue;
            }
        };
        if !value.is_empty() {
            if !line.is_empty() {
                line.push_str(&between);
            }
            line.push_str(&value);
        }
        between.clear();
    }
    line
}

/// Returns a text in capitals; those of Turkish keep the dot of their i.
fn capitals(text: &str, code: &str) -> String {
    match code {
        "TR" | "AZ" => text.replace('i', "İ").to_uppercase(),
        _ => text.to_uppercase(),
    }
}
