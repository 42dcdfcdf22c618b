//! Word in, Word out; knows values, no contacts. It is worth using alone:
//!
//! ```
//! use mailrun::merge::{Template, Value, Values};
//!
//! let template = Template::compile(&std::fs::read("templates/init/letter.docx")?)?;
//! let mut values = Values::new();
//! for field in template.fields() {
//!     values.set(&field.name, Value::text("Ada"));
//! }
//! let letter = template.render(&values)?;
//! std::fs::write(std::env::temp_dir().join("letter.docx"), letter.bytes)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod value;
pub mod picture;
pub mod name;
pub mod template;
pub mod text;
pub mod problem;
mod package;
mod xml;
mod link;
mod story;
mod region;
pub mod field_code;
pub mod tag;
mod scope;
mod compile;
mod customs;
mod instruction;
mod language;
mod related;
mod uri;
mod drawing;
mod barcode;
mod escape;
mod program;
mod show;
mod property;
mod evaluate;
pub mod odd_value;
mod comment;
mod splice;
mod archive;
pub mod combined;
pub mod condition;
pub mod format;
pub mod formula;
pub mod address;
pub mod lint;

pub use archive::Buffer;
pub use combined::{CombineError, Combined, Joint, Manner, Marks, PageCount};
pub use lint::{Finding, Flaw, lint, lint_template};
pub use name::{FieldMap, Namespace, Need};
pub use package::PackageError;
pub use picture::{Picture, PictureError, PictureKind, Pictures};
pub use problem::{Fault, Place, Problem};
pub use related::PictureUse;
pub use template::{
    BoundTemplate, CommentAs, CommentPlace, FieldUse, Letter, Merged, Moment, RenderError, Template,
    TemplateError, Values, Wanted,
};
pub use text::{BoundText, Escape, Text, TextError, TextProblem};
pub use value::{Frame, Value};
pub use xml::XmlError;
