// SPDX-License-Identifier: Apache-2.0
//! Mutual TLS with SVIDs, by rustls.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::json;
use spiffe_rustls::{authorizer, mtls_client, mtls_server};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::api::source;
use crate::lines::{Failure, Outcome, say};

/// The application protocols that are offered: none, or that of gRPC.
pub type Protocols = &'static [&'static [u8]];

pub async fn acceptor(id: &str, protocols: Protocols) -> Result<TlsAcceptor, Failure> {
    let config = mtls_server(source().await?)
        .authorize(authorizer::exact([id])?)
        .with_alpn_protocols(protocols)
        .build()?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub async fn connect(
    address: &str,
    id: &str,
    protocols: Protocols,
) -> Result<client::TlsStream<TcpStream>, Failure> {
    let config = mtls_client(source().await?)
        .authorize(authorizer::exact([id])?)
        .with_alpn_protocols(protocols)
        .build()?;
    let address: SocketAddr = address.parse()?;
    let stream = TcpStream::connect(address).await?;
    // rustls wants a name; an SVID has none to compare it with.
    let name = ServerName::from(address.ip());
    Ok(TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?)
}

pub async fn bind(address: &str) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await?;
    say(
        "listening",
        json!({ "address": listener.local_addr()?.to_string() }),
    );
    Ok(listener)
}

async fn echo(stream: server::TlsStream<TcpStream>) -> std::io::Result<()> {
    let (mut from, mut to) = split(stream);
    copy(&mut from, &mut to).await?;
    to.shutdown().await
}

pub async fn listen(address: &str, id: &str) -> Outcome {
    let acceptor = acceptor(id, &[]).await?;
    let listener = bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let accepted = acceptor.accept(stream);
        tokio::spawn(async move {
            let done = match accepted.await {
                Ok(stream) => echo(stream).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                eprintln!("{error}");
            }
        });
    }
}

pub async fn dial(address: &str, id: &str, text: &str) -> Outcome {
    let mut stream = connect(address, id, &[]).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).await?;
    say("echo", json!({ "text": String::from_utf8(back)? }));
    stream.shutdown().await?;
    Ok(())
}
