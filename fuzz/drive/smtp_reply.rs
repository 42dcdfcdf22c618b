//! Drives the reader of SMTP replies from bytes: cut in two or whole, the same replies.

use mailrun::delivery::smtp::reply::ReplyReader;

pub(crate) fn drive(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let (first, second) = bytes.split_at(usize::from(cut).min(bytes.len()));
    let whole = read(&[bytes]);
    let in_two = read(&[first, second]);
    // What is wrong may be seen earlier, never otherwise.
    if whole.1 && in_two.1 {
        assert_eq!(whole.0, in_two.0, "it does not matter how the bytes are cut");
    }
}

fn read(pieces: &[&[u8]]) -> (Vec<String>, bool) {
    let mut reader = ReplyReader::default();
    let mut replies = Vec::new();
    for piece in pieces {
        reader.push(piece);
        loop {
            match reader.next_reply() {
                Ok(Some(reply)) => replies.push(reply.to_string()),
                Ok(None) => break,
                Err(_) => return (replies, false),
            }
        }
    }
    (replies, true)
}
