// SPDX-License-Identifier: Apache-2.0
//! The Workload API.

use std::sync::Mutex;
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::{Map, Value, json};
use spiffe::{JwtSvid, TrustDomain, WorkloadApiClient, X509Context, X509Source};
use x509_parser::parse_x509_certificate;

use crate::lines::{Failure, Outcome, say};

/// A source asks a denying API again for ever, if it is let.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

fn facts(context: &X509Context) -> Result<Value, Failure> {
    let svid = context.default_svid().ok_or("no SVID")?;
    let (_, leaf) = parse_x509_certificate(svid.leaf().as_bytes())?;
    let bundles = context.bundle_set();
    let bundle = bundles.get(svid.spiffe_id().trust_domain());
    Ok(json!({
        "spiffeId": svid.spiffe_id().to_string(),
        "serial": format!("{:x}", leaf.serial),
        "svids": context.svids().len(),
        "roots": bundle.ok_or("no bundle of its own")?.authorities().len(),
    }))
}

pub async fn fetch() -> Outcome {
    let client = WorkloadApiClient::connect_env().await?;
    say("x509", facts(&client.fetch_x509_context().await?)?);
    Ok(())
}

/// The source goes on after whatever happens to its stream, and tells of that only
/// by way of the log.
struct Warnings {
    told: bool,
    last: Mutex<String>,
}

static WATCHING: Warnings = Warnings {
    told: true,
    last: Mutex::new(String::new()),
};
static CONNECTING: Warnings = Warnings {
    told: false,
    last: Mutex::new(String::new()),
};

impl Log for Warnings {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with("spiffe::")
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut text = record.args().to_string();
        // See lines::text_of.
        if text.to_lowercase().contains("no identity issued") {
            text = format!("permission denied: {text}");
        }
        if self.told {
            say("watch-error", json!({ "error": text }));
        }
        *self.last.lock().unwrap() = text;
    }

    fn flush(&self) {}
}

async fn source_with(warnings: &'static Warnings) -> Result<X509Source, Failure> {
    log::set_logger(warnings)?;
    log::set_max_level(LevelFilter::Warn);
    let mut builder = X509Source::builder();
    if !warnings.told {
        builder = builder.initial_sync_timeout(FIRST_ANSWER);
    }
    let built = builder.build().await;
    built.map_err(|error| format!("{error}: {}", warnings.last.lock().unwrap()).into())
}

/// The source for whoever needs SVIDs for TLS.
pub async fn source() -> Result<X509Source, Failure> {
    source_with(&CONNECTING).await
}

pub async fn watch() -> Outcome {
    let source = source_with(&WATCHING).await?;
    let mut updates = source.updated();
    loop {
        // What was withdrawn has no context, and the log had why.
        if let Ok(context) = source.state().context() {
            say("x509", facts(&context)?);
        }
        updates.changed().await?;
    }
}

/// How many authorities each trust domain has.
fn counts<'a>(of: impl Iterator<Item = (&'a TrustDomain, usize)>) -> Map<String, Value> {
    of.map(|(domain, count)| (domain.to_string(), count.into()))
        .collect()
}

pub async fn bundles() -> Outcome {
    let client = WorkloadApiClient::connect_env().await?;
    let x509 = client.fetch_x509_bundles().await?;
    let jwt = client.fetch_jwt_bundles().await?;
    say(
        "bundles",
        json!({
            "x509": counts(x509.iter().map(|(domain, of)| (domain, of.authorities().len()))),
            "jwt": counts(jwt.iter().map(|(domain, of)| (domain, of.jwt_authorities().count()))),
        }),
    );
    Ok(())
}

pub async fn jwt(audience: &str) -> Outcome {
    let client = WorkloadApiClient::connect_env().await?;
    let svid = client.fetch_jwt_svid([audience], None).await?;
    let bundles = client.fetch_jwt_bundles().await?;
    let good = JwtSvid::parse_and_validate(svid.token(), &bundles, &[audience])?;
    say(
        "jwt",
        json!({
            "spiffeId": good.spiffe_id().to_string(),
            "token": good.token(),
        }),
    );
    Ok(())
}

pub async fn validate(audience: &str, token: &str) -> Outcome {
    let client = WorkloadApiClient::connect_env().await?;
    let svid = client.validate_jwt_token(audience, token).await?;
    say("valid", json!({ "spiffeId": svid.spiffe_id().to_string() }));
    Ok(())
}
