//! Owns cutting: some pages of a document become one of their own, with what they need and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

use super::{Properties, xmp};
use crate::setup::PdfStandard;

/// How deep a page's objects may lead; LibreOffice's lead to less than ten.
const DEPTH_LIMIT: usize = 64;

/// What a page has from the pages above it where it has none of its own (ISO 32000-1 §7.7.3.4), and what else it keeps.
const INHERITED: [&[u8]; 3] = [b"MediaBox", b"CropBox", b"Rotate"];
const OWN: [&[u8]; 6] = [b"Contents", b"Annots", b"Group", b"UserUnit", b"TrimBox", b"BleedBox"];

/// Where the pages come from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) document: Document,
    /// The pages, in their order.
    pub(super) pages: Vec<ObjectId>,
}

/// The places in a chunk: where each letter begins, and where its last paragraph begins if its number of pages is shown.
#[derive(Debug)]
pub(super) struct Places {
    /// By letter: the number of its first page, from 0.
    pub(super) firsts: Vec<usize>,
    /// By letter: the number of the page that shows as its last one.
    pub(super) lasts: Vec<Option<usize>>,
}

impl Source {
    /// Reads a PDF file. Fails on what is none, and on one without pages.
    pub(super) fn read(bytes: &[u8]) -> Result<Source, String> {
        let document = Document::load_mem(bytes).map_err(|error| format!("it is no PDF: {error}"))?;
        if document.xref_recovery.is_some() {
            return Err("it is no PDF: its end is missing".to_owned());
        }
        let pages: Vec<ObjectId> = document.page_iter().collect();
        if pages.is_empty() {
            return Err("the PDF has no pages".to_owned());
        }
        Ok(Source { document, pages })
    }

    /// Finds where letters begin, by the named destinations that their bookmarks became.
    pub(super) fn places(&self, n_letters: usize) -> Result<Places, String> {
        let document = &self.document;
        let named =
            document.catalog().and_then(|it| it.get_deref(b"Dests", document)).and_then(Object::as_dict);
        let named = named.map_err(|_| "the PDF does not say where letters begin".to_owned())?;
        let page_of = |name: &str| {
            // LibreOffice writes an underscore in a name as its code.
            let name = [name.replace('_', "5F"), name.to_owned()];
            let found = name.iter().find_map(|name| named.get_deref(name.as_bytes(), document).ok())?;
            let page = found.as_array().ok()?.first()?.as_reference().ok()?;
            self.pages.iter().position(|it| *it == page)
        };
        let letters = || (1..=n_letters as u64).map(crate::merge::combined::letter_bookmark);
        let firsts: Option<Vec<usize>> = letters().map(|name| page_of(&name)).collect();
        let firsts = firsts.ok_or("the PDF does not say where each letter begins")?;
        if firsts.first() != Some(&0) || firsts.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err("letters share a page".to_owned());
        }
        let lasts = letters().map(|name| page_of(&format!("{name}_end"))).collect();
        Ok(Places { firsts, lasts })
    }

    /// Makes a document of some pages.
    pub(super) fn cut(
        &self,
        pages: &[ObjectId],
        properties: &Properties<'_>,
        standard: PdfStandard,
    ) -> Result<Vec<u8>, String> {
        let version = if standard == PdfStandard::A1b { "1.4" } else { "1.7" };
        let mut copy = Copy {
            source: &self.document,
            into: Document::with_version(version),
            ids: BTreeMap::new(),
            pages: BTreeMap::new(),
        };
        let tree = copy.into.new_object_id();
        for page in pages {
            let id = copy.into.new_object_id();
            copy.pages.insert(*page, id);
        }
        for page in pages {
            let copied = copy.page(*page, tree)?;
            let id = copy.pages[page];
            copy.into.objects.insert(id, copied);
        }
        let kids: Vec<Object> = pages.iter().map(|page| Object::Reference(copy.pages[page])).collect();
        let count = kids.len() as i64;
        copy.into.objects.insert(
            tree,
            Object::Dictionary(dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }),
        );
        let mut catalog = dictionary! { "Type" => "Catalog", "Pages" => tree };
        let of_source = self.document.catalog().map_err(|error| error.to_string())?;
        if let Ok(language) = of_source.get(b"Lang") {
            let language = copy.object(language, 0)?;
            catalog.set("Lang", language);
        }
        if standard != PdfStandard::Plain {
            if let Ok(intents) = of_source.get(b"OutputIntents") {
                let intents = copy.object(intents, 0)?;
                catalog.set("OutputIntents", intents);
            }
            let metadata = Stream::new(
                dictionary! { "Type" => "Metadata", "Subtype" => "XML" },
                xmp::packet(properties, standard).into_bytes(),
            )
            .with_compression(false);
            let metadata = copy.into.add_object(metadata);
            catalog.set("Metadata", metadata);
        }
        let root = copy.into.add_object(catalog);
        let mut info = Dictionary::new();
        for (key, value) in
            [("Title", properties.title), ("Author", properties.author), ("Producer", xmp::PRODUCER)]
        {
            if !value.is_empty() {
                info.set(key, lopdf::text_string(value));
            }
        }
        let info = copy.into.add_object(info);
        copy.into.trailer.set("Root", root);
        copy.into.trailer.set("Info", info);
        let mut into = copy.into;
        finished(&mut into)
    }
}

/// Writes a document whose file identifier comes from what is in it, so that the same letter is the same file.
fn finished(document: &mut Document) -> Result<Vec<u8>, String> {
    use sha2::{Digest, Sha256};
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).map_err(|error| error.to_string())?;
    let digest = Sha256::digest(&bytes);
    let id = Object::String(digest[..16].to_vec(), lopdf::StringFormat::Hexadecimal);
    document.trailer.set("ID", vec![id.clone(), id]);
    bytes.clear();
    document.save_to(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Objects that are copied from one document into another.
struct Copy<'s> {
    source: &'s Document,
    into: Document,
    ids: BTreeMap<ObjectId, ObjectId>,
    /// The pages that come along.
    pages: BTreeMap<ObjectId, ObjectId>,
}

impl Copy<'_> {
    fn page(&mut self, id: ObjectId, tree: ObjectId) -> Result<Object, String> {
        let source = self.source;
        let page = source.get_dictionary(id).map_err(|error| error.to_string())?;
        let mut copied = dictionary! { "Type" => "Page", "Parent" => tree };
        for key in INHERITED {
            if let Some(value) = inherited(source, page, key) {
                let value = self.object(value, 0)?;
                copied.set(key, value);
            }
        }
        for key in OWN {
            let Ok(value) = page.get(key) else { continue };
            let value = match key {
                b"Annots" => self.annotations(value)?,
                _ => self.object(value, 0)?,
            };
            copied.set(key, value);
        }
        let used = names_in(&source.get_page_content(id));
        let resources =
            inherited(source, page, b"Resources").and_then(|it| resolved(source, it).as_dict().ok());
        let resources = resources.map(|it| self.narrowed(it, &used, 0)).transpose()?.unwrap_or_default();
        copied.set("Resources", resources);
        Ok(Object::Dictionary(copied))
    }

    /// Links within the pages and out of the house come along; what leads to other letters, and forms, do not.
    fn annotations(&mut self, annotations: &Object) -> Result<Object, String> {
        let source = self.source;
        let mut kept = Vec::new();
        for annotation in resolved(source, annotations).as_array().map_or(&[][..], Vec::as_slice) {
            let Ok(it) = resolved(source, annotation).as_dict() else { continue };
            let is_link = it.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Link");
            let action = it.get(b"A").ok().and_then(|action| resolved(source, action).as_dict().ok());
            let is_uri = action
                .and_then(|action| action.get(b"S").and_then(Object::as_name).ok())
                .is_some_and(|kind| kind == b"URI");
            let page = it.get(b"Dest").ok().and_then(|it| resolved(source, it).as_array().ok());
            let page = page.and_then(|place| place.first()).and_then(|page| page.as_reference().ok());
            if is_link && (is_uri || page.is_some_and(|page| self.pages.contains_key(&page))) {
                let mut link = it.clone();
                ["StructParent", "Parent", "P"].iter().for_each(|key| {
                    link.remove(key.as_bytes());
                });
                let link = self.object(&Object::Dictionary(link), 0)?;
                kept.push(Object::Reference(self.into.add_object(link)));
            }
        }
        Ok(Object::Array(kept))
    }

    /// Copies of a resource dictionary what these names stand for.
    fn narrowed(
        &mut self,
        resources: &Dictionary,
        used: &BTreeSet<Vec<u8>>,
        depth: usize,
    ) -> Result<Dictionary, String> {
        let mut copied = Dictionary::new();
        for (kind, value) in resources.iter() {
            match resolved(self.source, value) {
                Object::Dictionary(entries) => {
                    let mut some = Dictionary::new();
                    for (name, entry) in entries.iter().filter(|(name, _)| used.contains(*name)) {
                        let entry = self.object(entry, depth + 1)?;
                        some.set(name.clone(), entry);
                    }
                    if !some.is_empty() {
                        copied.set(kind.clone(), some);
                    }
                }
                other => {
                    let other = self.object(other, depth + 1)?;
                    copied.set(kind.clone(), other);
                }
            }
        }
        Ok(copied)
    }

    fn object(&mut self, object: &Object, depth: usize) -> Result<Object, String> {
        if depth > DEPTH_LIMIT {
            return Err("the PDF's objects lead too deep".to_owned());
        }
        Ok(match object {
            Object::Reference(id) => self.reference(*id, depth + 1)?,
            Object::Array(items) => Object::Array(
                items.iter().map(|item| self.object(item, depth + 1)).collect::<Result<_, _>>()?,
            ),
            Object::Dictionary(dictionary) => Object::Dictionary(self.dictionary(dictionary, depth + 1)?),
            Object::Stream(stream) => Object::Stream(self.stream(stream, depth + 1)?),
            plain => plain.clone(),
        })
    }

    fn reference(&mut self, id: ObjectId, depth: usize) -> Result<Object, String> {
        if let Some(known) = self.pages.get(&id).or_else(|| self.ids.get(&id)) {
            return Ok(Object::Reference(*known));
        }
        let Ok(object) = self.source.get_object(id) else { return Ok(Object::Null) };
        let is_of_tree = object.as_dict().and_then(Dictionary::get_type).is_ok_and(|kind| {
            matches!(kind, b"Page" | b"Pages" | b"Catalog" | b"StructTreeRoot" | b"StructElem")
        });
        if is_of_tree {
            return Ok(Object::Null); // another letter's, or the whole document's
        }
        let new = self.into.new_object_id();
        self.ids.insert(id, new);
        let copied = self.object(object, depth)?;
        self.into.objects.insert(new, copied);
        Ok(Object::Reference(new))
    }

    fn dictionary(&mut self, dictionary: &Dictionary, depth: usize) -> Result<Dictionary, String> {
        let mut copied = Dictionary::new();
        for (key, value) in dictionary.iter() {
            let value = self.object(value, depth)?;
            copied.set(key.clone(), value);
        }
        Ok(copied)
    }

    fn stream(&mut self, stream: &Stream, depth: usize) -> Result<Stream, String> {
        let is_form = stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Form");
        let resources =
            stream.dict.get(b"Resources").ok().and_then(|it| resolved(self.source, it).as_dict().ok());
        let dictionary = match resources {
            Some(resources) if is_form => {
                let used = names_in(&stream.get_plain_content().map_err(|error| error.to_string())?);
                let resources = self.narrowed(resources, &used, depth)?;
                let mut others = stream.dict.clone();
                others.remove(b"Resources");
                others.remove(b"StructParents");
                let mut copied = self.dictionary(&others, depth)?;
                copied.set("Resources", resources);
                copied
            }
            _ => self.dictionary(&stream.dict, depth)?,
        };
        let mut copied = stream.clone();
        copied.dict = dictionary;
        copied.dict.set("Length", stream.content.len() as i64);
        Ok(copied)
    }
}

/// The names that a content stream uses, and those that its texts happen to hold.
fn names_in(content: &[u8]) -> BTreeSet<Vec<u8>> {
    // ISO 32000-1 §7.2.2 Character Set: what ends a name.
    let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0 || b"()<>[]{}/%".contains(byte);
    let name = |start: usize| {
        let rest = &content[start + 1..];
        rest[..rest.iter().position(ends).unwrap_or(rest.len())].to_vec()
    };
    memchr::memchr_iter(b'/', content).map(name).collect()
}

pub(super) fn inherited<'d>(document: &'d Document, page: &'d Dictionary, key: &[u8]) -> Option<&'d Object> {
    let mut at = page;
    for _ in 0..DEPTH_LIMIT {
        if let Ok(value) = at.get(key) {
            return Some(value);
        }
        at = at.get_deref(b"Parent", document).and_then(Object::as_dict).ok()?;
    }
    None
}

pub(super) fn resolved<'d>(document: &'d Document, object: &'d Object) -> &'d Object {
    document.dereference(object).map_or(object, |(_, object)| object)
}
