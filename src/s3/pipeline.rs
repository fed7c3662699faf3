//! The way of a request, top to bottom: address, route, authenticate, authorise, operate, respond.
//!
//! Each step takes what the one before gave and makes what the next one needs; the body is not touched before the
//! request is authorised, and a client that asked for `100 Continue` has not been told to send it until then.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::auth::{Authentication, PayloadSeal};
use crate::http::body::Body;
use crate::http::connection::{HeadRefusal, Service};
use crate::http::date;
use crate::http::head::{Method, RequestHead};
use crate::http::response::{Response, ResponseBody};
use crate::metrics::RequestSample;
use crate::s3::address::{self, Address};
use crate::s3::authorise::{Asking, Sender};
use crate::s3::body::Payload;
use crate::s3::error::S3Error;
use crate::s3::headers::customer_key;
use crate::s3::not_implemented::Refused;
use crate::s3::operation::{BodyKind, Call, Context, Operation};
use crate::s3::ops;
use crate::s3::request_id::RequestIds;
use crate::s3::route::{self, Routed};

/// The S3 service of one core.
pub struct S3Service {
    context: Rc<Context>,
    ids: RequestIds,
}

/// A request whose sender is known, or known to be nobody.
struct Authenticated {
    sender: Sender,
    seal: PayloadSeal,
}

impl S3Service {
    pub fn new(context: Rc<Context>, ids: RequestIds) -> Self {
        Self { context, ids }
    }

    async fn run(
        &self,
        head: &RequestHead,
        body: &mut Body<'_>,
        peer: SocketAddr,
    ) -> (Option<&'static Operation>, Response) {
        let address = match address::address(head, &self.context.addressing) {
            Ok(address) => address,
            Err(error) => return (None, self.respond(Err(error), head, "/")),
        };
        let (operation, result) = match route::route(head, &address) {
            Ok(Routed::Operation(operation)) => {
                (Some(operation), self.operate(operation, head, &address, body, peer).await)
            }
            Ok(Routed::Refused(refused)) => (None, Err(self.refuse_by_name(refused, head, &address, peer))),
            Err(error) => (None, self.authenticate(head, false).and(Err(error))),
        };
        (operation, self.respond(result, head, &address.path))
    }

    async fn operate(
        &self,
        operation: &'static Operation,
        head: &RequestHead,
        address: &Address,
        body: &mut Body<'_>,
        peer: SocketAddr,
    ) -> Result<Response, S3Error> {
        let Authenticated { sender, seal } = self.authenticate(head, operation.anonymous)?;
        if seal.is_streaming() && operation.body != BodyKind::Object {
            return Err(S3Error::invalid_request("The value of x-amz-content-sha256 header is invalid."));
        }
        let context = &self.context;
        let asking = self.asking(head, address, &sender, peer);
        let authorised = &asking.authorise(operation)?;
        let (asking, admitted_ms) = (&asking, asking.admitted_ms);
        if matches!(sender, Sender::Anonymous) {
            refuse_overrides(address)?;
        }
        let payload = Payload::new(body, head, seal)?;
        let call = Call { context, head, address, asking, authorised, payload, admitted_ms };
        let result = (operation.run)(call).await;
        result.map_err(|error| asking.hide_absence_from_reader(error, authorised))
    }

    /// The answer to what S3 has and this node refuses, if the sender may have it.
    fn refuse_by_name(
        &self,
        refused: &Refused,
        head: &RequestHead,
        address: &Address,
        peer: SocketAddr,
    ) -> S3Error {
        let may_know = self.authenticate(head, false).and_then(|Authenticated { sender, .. }| {
            if refused.is_about_bucket(head.method()) {
                self.asking(head, address, &sender, peer).authorise_refusal()?;
            }
            Ok(())
        });
        may_know.err().unwrap_or_else(|| refused.error(head.method()))
    }

    fn asking<'a>(
        &'a self,
        head: &'a RequestHead,
        address: &'a Address,
        sender: &'a Sender,
        peer: SocketAddr,
    ) -> Asking<'a> {
        let admitted_ms = self.context.clock.unix_ms();
        Asking {
            context: &self.context,
            head,
            address,
            sender,
            client: peer.ip(),
            is_secure: false,
            admitted_ms,
        }
    }

    fn authenticate(&self, head: &RequestHead, may_be_anonymous: bool) -> Result<Authenticated, S3Error> {
        let now_unix_s = self.context.clock.unix_ms().div_euclid(1000);
        match self.context.authenticator.authenticate(head, now_unix_s)? {
            Authentication::Signed { identity, seal, presigned, signed_unix_s } => {
                Ok(Authenticated { sender: Sender::Signed { identity, presigned, signed_unix_s }, seal })
            }
            Authentication::Anonymous if may_be_anonymous => {
                Ok(Authenticated { sender: Sender::Anonymous, seal: PayloadSeal::anonymous(head)? })
            }
            Authentication::Anonymous => {
                Err(S3Error::access_denied("Anonymous users cannot invoke this API. Please authenticate."))
            }
        }
    }

    /// Adds what every response carries, and turns an error into its document.
    fn respond(&self, result: Result<Response, S3Error>, head: &RequestHead, resource: &str) -> Response {
        match result {
            Ok(response) => self.sign_off(response, &self.ids.next()),
            Err(error) => self.error(&error, head.method() == Method::Head, resource),
        }
    }

    fn error(&self, error: &S3Error, to_head: bool, resource: &str) -> Response {
        self.context.metrics.error(error.code.index());
        let request_id = self.ids.next();
        tracing::debug!(code = error.code.name(), message = %error.message, request_id, resource, "refused");
        let mut response = Response::new(error.status()).header("Content-Type", "application/xml");
        if !to_head {
            let document = error.to_xml(resource, &request_id, self.ids.host_id());
            response.body = ResponseBody::Bytes(document);
        }
        for (name, value) in &error.headers {
            response.push_header(*name, value.as_str());
        }
        self.sign_off(response, &request_id)
    }

    fn sign_off(&self, response: Response, request_id: &str) -> Response {
        response
            .header("Date", date::format_http(self.context.clock.unix_ms().div_euclid(1000)))
            .header("Server", "Ringstone")
            .header("x-amz-request-id", request_id)
            .header("x-amz-id-2", self.ids.host_id())
    }
}

/// Response headers are the choice of signed requests.
fn refuse_overrides(address: &Address) -> Result<(), S3Error> {
    if address.query.pairs().any(|(name, _)| name.starts_with("response-")) {
        return Err(S3Error::invalid_request(
            "Request specific response headers cannot be used for anonymous GET requests.",
        ));
    }
    Ok(())
}

impl Service for S3Service {
    async fn call(&self, mut head: RequestHead, body: &mut Body<'_>, peer: SocketAddr) -> Response {
        if customer_key::is_in(&head) {
            head.mark_secret();
        }
        let started_us = self.context.clock.monotonic_us();
        let bytes_in = body.length().unwrap_or(0);
        let (operation, response) = self.run(&head, body, peer).await;
        if let Some(operation) = operation.and_then(ops::index_of) {
            self.context.metrics.request(&RequestSample {
                operation,
                status: response.status,
                bytes_in,
                bytes_out: response.body.length(),
                duration_us: self.context.clock.monotonic_us() - started_us,
            });
        }
        response
    }

    fn refuse(&self, refusal: HeadRefusal) -> Response {
        self.error(&refusal.into(), false, "/").closing()
    }
}
