//! Frames on the socket between the daemon and its helper: two lengths, a head in JSON, and a payload as it is.
//!
//! What may be secret is in the payload alone: it goes through no parser and lies in one buffer, which is wiped.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read};
use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroizing;

/// Bytes before the head: the lengths of head and payload, four bytes each, the most significant one first.
const LENGTHS: usize = 8;
/// The most bytes of a head: a command of the longest kind, every byte of it escaped in JSON, is well below.
const MAX_HEAD: usize = 2 * 1024 * 1024;
/// The most bytes of a payload.
pub(super) const MAX_PAYLOAD: usize = 256 * 1024;

/// One frame as it came.
#[derive(Debug)]
pub(super) struct Frame {
    head: Vec<u8>,
    pub(super) payload: Zeroizing<Vec<u8>>,
}

impl Frame {
    /// Reads the head.
    pub(super) fn head<T: DeserializeOwned>(&self) -> io::Result<T> {
        serde_json::from_slice(&self.head).map_err(io::Error::from)
    }

    fn of(lengths: [u8; LENGTHS]) -> io::Result<Self> {
        let [a, b, c, d, e, f, g, h] = lengths;
        let head = within(u32::from_be_bytes([a, b, c, d]), MAX_HEAD)?;
        let payload = within(u32::from_be_bytes([e, f, g, h]), MAX_PAYLOAD)?;
        Ok(Self { head: vec![0; head], payload: Zeroizing::new(vec![0; payload]) })
    }
}

/// Makes the bytes of a frame.
pub(super) fn encode<T: Serialize>(head: &T, payload: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    let head = serde_json::to_vec(head)?;
    let mut frame = Zeroizing::new(Vec::with_capacity(LENGTHS + head.len() + payload.len()));
    frame.extend_from_slice(&length(head.len(), MAX_HEAD)?);
    frame.extend_from_slice(&length(payload.len(), MAX_PAYLOAD)?);
    frame.extend_from_slice(&head);
    frame.extend_from_slice(payload);
    Ok(frame)
}

/// Reads a frame; nothing where the other end has closed between two frames.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut lengths = [0; LENGTHS];
    if from.read(&mut lengths[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut lengths[1..])?;
    let mut frame = Frame::of(lengths)?;
    from.read_exact(&mut frame.head)?;
    from.read_exact(&mut frame.payload)?;
    Ok(Some(frame))
}

/// The same without blocking.
pub(super) async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut lengths = [0; LENGTHS];
    if from.read(&mut lengths[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut lengths[1..]).await?;
    let mut frame = Frame::of(lengths)?;
    from.read_exact(&mut frame.head).await?;
    from.read_exact(&mut frame.payload).await?;
    Ok(Some(frame))
}

fn length(bytes: usize, most: usize) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= most).ok_or_else(too_long)?;
    Ok(length.to_be_bytes())
}

fn within(length: u32, most: usize) -> io::Result<usize> {
    usize::try_from(length).ok().filter(|length| *length <= most).ok_or_else(too_long)
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the frame is too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_is_read_as_it_was_written() {
        let bytes = encode(&"head", b"pay\0load\xff").unwrap();
        let frame = read(&mut &bytes[..]).unwrap().unwrap();
        assert_eq!(
            (frame.head::<String>().unwrap().as_str(), frame.payload.as_slice()),
            ("head", &b"pay\0load\xff"[..])
        );
        let frame = receive(&mut &bytes[..]).await.unwrap().unwrap();
        assert_eq!(
            (frame.head::<String>().unwrap().as_str(), frame.payload.as_slice()),
            ("head", &b"pay\0load\xff"[..])
        );
    }

    #[tokio::test]
    async fn an_end_is_told_apart_from_a_torn_frame() {
        assert!(read(&mut &b""[..]).unwrap().is_none() && receive(&mut &b""[..]).await.unwrap().is_none());
        let bytes = encode(&"head", b"payload").unwrap();
        for cut in 1..bytes.len() {
            let kind = |error: io::Error| error.kind();
            assert_eq!(read(&mut &bytes[..cut]).map_err(kind).unwrap_err(), io::ErrorKind::UnexpectedEof, "{cut}");
            let received = receive(&mut &bytes[..cut]).await.map_err(kind);
            assert_eq!(received.unwrap_err(), io::ErrorKind::UnexpectedEof, "{cut}");
        }
    }

    #[test]
    fn what_is_too_long_is_neither_written_nor_made_room_for() {
        assert!(encode(&"head", &vec![0; MAX_PAYLOAD]).is_ok());
        assert!(encode(&"head", &vec![0; MAX_PAYLOAD + 1]).is_err());
        for lengths in [[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], [0, 0, 0, 2, 0, 4, 0, 1]] {
            assert_eq!(read(&mut &lengths[..]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
