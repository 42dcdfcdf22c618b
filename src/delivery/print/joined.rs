//! Owns joining: PDF documents become one, written as they come; what they share is there once.

use std::collections::BTreeMap;
use std::io::{self, Write};

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, Writer, dictionary};
use sha2::{Digest, Sha256};

use super::marks;

/// How many pages a node of the page tree holds.
const PAGES_PER_NODE: usize = 200;

/// How deep the objects of a page may lead; those of our own documents lead to less than ten.
const DEPTH_LIMIT: usize = 64;

const CATALOG: u32 = 1;
const ROOT: u32 = 2;
const INFO: u32 = 3;

/// A PDF document that grows.
#[derive(Debug)]
pub(super) struct Joined<W> {
    into: W,
    n_written: u64,
    /// By number, from 1: where an object begins; 0 for one that is still to come.
    offsets: Vec<u64>,
    nodes: Vec<(u32, usize)>,
    /// The node that is being filled.
    node: u32,
    kids: Vec<u32>,
    /// What may be shared, by its digest: fonts, pictures.
    shared: BTreeMap<[u8; 32], u32>,
    n_pages: usize,
    /// The font of marks, once there is one.
    font: Option<u32>,
}

impl<W: Write> Joined<W> {
    /// Begins a document.
    pub(super) fn begin(into: W) -> io::Result<Joined<W>> {
        let mut joined = Joined {
            into,
            n_written: 0,
            offsets: vec![0; INFO as usize],
            nodes: Vec::new(),
            node: 0,
            kids: Vec::new(),
            shared: BTreeMap::new(),
            n_pages: 0,
            font: None,
        };
        joined.write(b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")?;
        joined.node = joined.fresh();
        Ok(joined)
    }

    /// How many pages there are so far.
    pub(super) fn n_pages(&self) -> usize {
        self.n_pages
    }

    /// Adds the pages of a document, and over each what is drawn there: operators by page, none for a page beyond the last.
    pub(super) fn add(&mut self, document: &Document, drawn: &[String]) -> io::Result<()> {
        let pages: Vec<ObjectId> = document.page_iter().collect();
        let mut ids: BTreeMap<ObjectId, u32> = pages.iter().map(|page| (*page, self.fresh())).collect();
        for (number, page) in pages.iter().enumerate() {
            let node = self.node;
            let own = document.get_dictionary(*page).map_err(io::Error::other)?;
            let mut copied = dictionary! {};
            for (key, value) in own.iter().filter(|(key, _)| key.as_slice() != b"Parent") {
                let value = self.copied(document, value, (&mut ids, 0))?;
                copied.set(key.clone(), value);
            }
            copied.set("Parent", Object::Reference((node, 0)));
            if let Some(drawn) = drawn.get(number) {
                self.draw(document, (own, &mut copied), drawn, &mut ids)?;
            }
            let id = ids[page];
            self.object(id, &Object::Dictionary(copied))?;
            self.take_page(id)?;
        }
        Ok(())
    }

    /// Puts operators over what a page shows, and the font that they need among its resources.
    fn draw(
        &mut self,
        document: &Document,
        (own, copied): (&Dictionary, &mut Dictionary),
        drawn: &str,
        ids: &mut BTreeMap<ObjectId, u32>,
    ) -> io::Result<()> {
        let before = match copied.get(b"Contents") {
            Ok(Object::Array(parts)) => parts.clone(),
            Ok(part @ Object::Reference(_)) => vec![part.clone()],
            Ok(_) | Err(_) => Vec::new(),
        };
        // What the page does to coordinates and colors ends with it.
        let (save, restore) = (self.stream(b"q\n".to_vec())?, self.stream(b"\nQ\n".to_vec())?);
        let marks = self.stream(drawn.as_bytes().to_vec())?;
        let contents: Vec<Object> = std::iter::once(save).chain(before).chain([restore, marks]).collect();
        copied.set("Contents", contents);
        let resources = own.get_deref(b"Resources", document).and_then(Object::as_dict).ok();
        let fonts = resources.and_then(|it| it.get_deref(b"Font", document).and_then(Object::as_dict).ok());
        let mut resources =
            self.dictionary(document, resources.unwrap_or(&Dictionary::new()), (&mut *ids, 0))?;
        let mut fonts = self.dictionary(document, fonts.unwrap_or(&Dictionary::new()), (ids, 0))?;
        fonts.set(marks::FONT, Object::Reference((self.font()?, 0)));
        resources.set("Font", fonts);
        copied.set("Resources", resources);
        Ok(())
    }

    /// Writes a content stream; one that is there already is not written again.
    fn stream(&mut self, content: Vec<u8>) -> io::Result<Object> {
        let mut stream = Stream::new(Dictionary::new(), content);
        stream.compress().map_err(io::Error::other)?;
        let mut bytes = Vec::new();
        Writer::write_object(&mut bytes, &Object::Stream(stream))?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let id = match self.shared.get(&digest) {
            Some(known) => *known,
            None => {
                let id = self.fresh();
                self.raw(id, &bytes)?;
                self.shared.insert(digest, id);
                id
            }
        };
        Ok(Object::Reference((id, 0)))
    }

    /// Writes the font of marks unless it is there already, and returns its number: a Type 3 font, whose signs are drawn in the
    /// file itself (ISO 32000-1 §9.6.5).
    fn font(&mut self) -> io::Result<u32> {
        if let Some(font) = self.font {
            return Ok(font);
        }
        let mut signs = Dictionary::new();
        let mut differences = Vec::new();
        for (sign, name, lines) in marks::GLYPHS {
            let width = marks::GLYPH_WIDTH;
            let drawn = format!("{width} 0 0 -60 {width} 740 d1 80 w 1 J 1 j {lines}");
            signs.set(name, self.stream(drawn.into_bytes())?);
            differences.extend([Object::Integer(i64::from(u32::from(sign))), Object::Name(name.into())]);
        }
        let widths = vec![Object::Integer(marks::GLYPH_WIDTH); marks::GLYPHS.len()];
        let codes = marks::GLYPHS.map(|(sign, _, _)| i64::from(u32::from(sign)));
        let font = dictionary! {
            "Type" => "Font",
            "Subtype" => "Type3",
            "FontBBox" => vec![0.into(), (-60).into(), marks::GLYPH_WIDTH.into(), 740.into()],
            "FontMatrix" => vec![0.001.into(), 0.into(), 0.into(), 0.001.into(), 0.into(), 0.into()],
            "CharProcs" => signs,
            "Encoding" => dictionary! { "Type" => "Encoding", "Differences" => differences },
            "FirstChar" => codes[0],
            "LastChar" => codes[codes.len() - 1],
            "Widths" => widths,
            "Resources" => Dictionary::new(),
        };
        let id = self.fresh();
        self.object(id, &Object::Dictionary(font))?;
        self.font = Some(id);
        Ok(id)
    }

    /// Adds a page with nothing on it, as large as the last page of a document.
    pub(super) fn add_blank(&mut self, as_in: &Document) -> io::Result<()> {
        let last = as_in.page_iter().last().and_then(|page| as_in.get_dictionary(page).ok());
        let size = last.and_then(|page| page.get(b"MediaBox").ok()).cloned();
        let mut page = dictionary! { "Type" => "Page", "Resources" => Dictionary::new() };
        page.set("Parent", Object::Reference((self.node, 0)));
        page.set("MediaBox", size.unwrap_or_else(|| vec![0.into(), 0.into(), 595.into(), 842.into()].into()));
        let id = self.fresh();
        self.object(id, &Object::Dictionary(page))?;
        self.take_page(id)
    }

    /// Writes the end, and returns where the document went.
    pub(super) fn finish(mut self, title: &str) -> io::Result<W> {
        self.end_node()?;
        let kids: Vec<Object> = self.nodes.iter().map(|(node, _)| Object::Reference((*node, 0))).collect();
        let root = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => self.n_pages as i64 };
        self.object(ROOT, &Object::Dictionary(root))?;
        let catalog = dictionary! { "Type" => "Catalog", "Pages" => Object::Reference((ROOT, 0)) };
        self.object(CATALOG, &Object::Dictionary(catalog))?;
        self.object(INFO, &Object::Dictionary(dictionary! { "Title" => lopdf::text_string(title) }))?;
        let start = self.n_written;
        let n_objects = self.offsets.len() + 1;
        self.write(format!("xref\n0 {n_objects}\n0000000000 65535 f \n").as_bytes())?;
        for offset in std::mem::take(&mut self.offsets) {
            self.write(
                match offset {
                    0 => "0000000000 00000 f \n".to_owned(),
                    offset => format!("{offset:010} 00000 n \n"),
                }
                .as_bytes(),
            )?;
        }
        let trailer = format!(
            "trailer\n<</Size {n_objects}/Root {CATALOG} 0 R/Info {INFO} 0 R>>\nstartxref\n{start}\n%%EOF\n"
        );
        self.write(trailer.as_bytes())?;
        self.into.flush()?;
        Ok(self.into)
    }

    fn take_page(&mut self, id: u32) -> io::Result<()> {
        self.kids.push(id);
        self.n_pages += 1;
        if self.kids.len() < PAGES_PER_NODE {
            return Ok(());
        }
        self.end_node()?;
        self.node = self.fresh();
        Ok(())
    }

    fn end_node(&mut self) -> io::Result<()> {
        let kids = std::mem::take(&mut self.kids);
        if kids.is_empty() {
            return Ok(());
        }
        let n_kids = kids.len();
        let kids: Vec<Object> = kids.into_iter().map(|kid| Object::Reference((kid, 0))).collect();
        let mut node = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => n_kids as i64 };
        node.set("Parent", Object::Reference((ROOT, 0)));
        self.object(self.node, &Object::Dictionary(node))?;
        self.nodes.push((self.node, n_kids));
        Ok(())
    }

    /// Copies an object with what it refers to; the object itself is returned, not written.
    fn copied(
        &mut self,
        document: &Document,
        object: &Object,
        (ids, depth): (&mut BTreeMap<ObjectId, u32>, usize),
    ) -> io::Result<Object> {
        if depth > DEPTH_LIMIT {
            return Err(io::Error::other("the objects of a page lead too deep"));
        }
        Ok(match object {
            Object::Reference(id) => match ids.get(id) {
                Some(known) => Object::Reference((*known, 0)),
                None => {
                    let Ok(target) = document.get_object(*id) else { return Ok(Object::Null) };
                    let copied = self.copied(document, target, (&mut *ids, depth + 1))?;
                    let new = self.shared(&copied)?;
                    ids.insert(*id, new);
                    Object::Reference((new, 0))
                }
            },
            Object::Array(items) => {
                let copies = items.iter().map(|item| self.copied(document, item, (&mut *ids, depth + 1)));
                Object::Array(copies.collect::<io::Result<_>>()?)
            }
            Object::Dictionary(own) => Object::Dictionary(self.dictionary(document, own, (ids, depth))?),
            Object::Stream(stream) => {
                let mut copied = stream.clone();
                copied.dict = self.dictionary(document, &stream.dict, (ids, depth))?;
                Object::Stream(copied)
            }
            plain => plain.clone(),
        })
    }

    fn dictionary(
        &mut self,
        document: &Document,
        own: &Dictionary,
        (ids, depth): (&mut BTreeMap<ObjectId, u32>, usize),
    ) -> io::Result<Dictionary> {
        let mut copied = Dictionary::new();
        for (key, value) in own.iter() {
            let value = self.copied(document, value, (&mut *ids, depth + 1))?;
            copied.set(key.clone(), value);
        }
        Ok(copied)
    }

    /// Writes an object unless it is there already, and returns its number.
    fn shared(&mut self, object: &Object) -> io::Result<u32> {
        let mut bytes = Vec::new();
        Writer::write_object(&mut bytes, object)?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if let Some(known) = self.shared.get(&digest) {
            return Ok(*known);
        }
        let id = self.fresh();
        self.raw(id, &bytes)?;
        // What a page shows is its own; all else may come again.
        let is_content = matches!(object, Object::Stream(stream) if stream.dict.get(b"Subtype").is_err()
            && stream.dict.get(b"Length1").is_err());
        if !is_content {
            self.shared.insert(digest, id);
        }
        Ok(id)
    }

    fn fresh(&mut self) -> u32 {
        self.offsets.push(0);
        u32::try_from(self.offsets.len()).unwrap_or(u32::MAX)
    }

    fn object(&mut self, id: u32, object: &Object) -> io::Result<()> {
        let mut bytes = Vec::new();
        Writer::write_object(&mut bytes, object)?;
        self.raw(id, &bytes)
    }

    fn raw(&mut self, id: u32, bytes: &[u8]) -> io::Result<()> {
        if let Some(offset) = self.offsets.get_mut(id as usize - 1) {
            *offset = self.n_written;
        }
        self.write(format!("{id} 0 obj\n").as_bytes())?;
        self.write(bytes)?;
        self.write(b"\nendobj\n")
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.into.write_all(bytes)?;
        self.n_written += bytes.len() as u64;
        Ok(())
    }
}
