//! The echo server that the benchmarks compare with, on tokio: see `../../baseline/echo_rivals.hpp`.

use std::mem::ManuallyDrop;
use std::net::TcpListener;
use std::os::unix::io::FromRawFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

async fn echo(mut peer: TcpStream) {
    let mut block = [0u8; 4096];
    loop {
        match peer.read(&mut block).await {
            Ok(0) | Err(_) => return,
            Ok(n) => {
                if peer.write_all(&block[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Accepts `connections`, and echoes in this thread until all of them have ended.
///
/// # Safety
/// `listener` is a socket that listens.
#[no_mangle]
pub unsafe extern "C" fn coex_bench_echo_with_tokio(listener: i32, connections: i32) {
    let listener = ManuallyDrop::new(TcpListener::from_raw_fd(listener)); // the caller's
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let local = LocalSet::new();
    local.block_on(&runtime, async move {
        let mut sessions = Vec::new();
        for _ in 0..connections {
            let (peer, _) = listener.accept().unwrap();
            peer.set_nodelay(true).unwrap();
            peer.set_nonblocking(true).unwrap();
            sessions.push(tokio::task::spawn_local(echo(TcpStream::from_std(peer).unwrap())));
        }
        for each in sessions {
            each.await.unwrap();
        }
    });
}
