//! Owns the metadata of archived PDF: what the document's properties say, said once more in XMP.

use super::Properties;
use crate::setup::PdfStandard;

/// Who made the file.
pub(super) const PRODUCER: &str = concat!("mailrun ", env!("CARGO_PKG_VERSION"));

/// Writes the XMP packet of a document.
///
/// Source: ISO 19005-1 §6.7.3 Document information dictionary (its entries and XMP say the same) and §6.7.11 Version and
/// conformance level identification.
pub(super) fn packet(properties: &Properties<'_>, standard: PdfStandard) -> String {
    let part = match standard {
        PdfStandard::A1b => "1",
        PdfStandard::A2b | PdfStandard::Plain => "2",
    };
    let title = match properties.title {
        "" => String::new(),
        title => format!(
            "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{}</rdf:li></rdf:Alt></dc:title>",
            escaped(title)
        ),
    };
    let author = match properties.author {
        "" => String::new(),
        author => format!("<dc:creator><rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq></dc:creator>", escaped(author)),
    };
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\
         {title}{author}<pdf:Producer>{PRODUCER}</pdf:Producer>\
         <pdfaid:part>{part}</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\
         </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
