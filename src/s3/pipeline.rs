//! The way of a request, top to bottom: address, route, authenticate, authorise, operate, respond.
//!
//! Each step takes what the one before gave and makes what the next one needs; the body is not touched before the
//! request is authorised, and a client that asked for `100 Continue` has not been told to send it until then.

use std::rc::Rc;

use crate::audit::AuditLog;
use crate::auth::{Authentication, PayloadSeal};
use crate::http::body::Body;
use crate::http::client_address::Client;
use crate::http::connection::{HeadRefusal, Service};
use crate::http::date;
use crate::http::head::{Method, RequestHead};
use crate::http::response::{Response, ResponseBody};
use crate::metrics::RequestSample;
use crate::s3::address::{self, Address};
use crate::s3::authorise::{Asking, Sender};
use crate::s3::body::Payload;
use crate::s3::error::S3Error;
use crate::s3::findings::{Figures, Findings};
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
    audit: Option<AuditLog>,
}

/// A request whose sender is known, or known to be nobody.
struct Authenticated {
    sender: Sender,
    seal: PayloadSeal,
}

impl S3Service {
    pub fn new(context: Rc<Context>, ids: RequestIds, audit: Option<AuditLog>) -> Self {
        Self { context, ids, audit }
    }

    async fn run(&self, head: &RequestHead, body: &mut Body<'_>, findings: &mut Findings) -> Response {
        let address = match address::address(head, &self.context.addressing) {
            Ok(address) => address,
            Err(error) => return self.respond(Err(error), head, "/", findings),
        };
        let result = match route::route(head, &address) {
            Ok(Routed::Operation(operation)) => {
                findings.operation = Some(operation);
                self.operate(operation, head, &address, body, findings).await
            }
            Ok(Routed::Refused(refused)) => Err(self.refuse_by_name(refused, head, &address, findings)),
            Err(error) => self.authenticate(head, false, findings).and(Err(error)),
        };
        let response = self.respond(result, head, &address.path, findings);
        findings.address = Some(address);
        response
    }

    async fn operate(
        &self,
        operation: &'static Operation,
        head: &RequestHead,
        address: &Address,
        body: &mut Body<'_>,
        findings: &mut Findings,
    ) -> Result<Response, S3Error> {
        let Authenticated { sender, seal } = self.authenticate(head, operation.anonymous, findings)?;
        if seal.is_streaming() && operation.body != BodyKind::Object {
            return Err(S3Error::invalid_request("The value of x-amz-content-sha256 header is invalid."));
        }
        let asking = self.asking(Some(operation), head, address, &sender, findings.client);
        let result = self.run_authorised(operation, &asking, body, seal).await;
        if findings.is_audited {
            findings.decision = asking.reason();
        }
        result
    }

    async fn run_authorised(
        &self,
        operation: &'static Operation,
        asking: &Asking<'_>,
        body: &mut Body<'_>,
        seal: PayloadSeal,
    ) -> Result<Response, S3Error> {
        let Asking { head, address, admitted_ms, .. } = *asking;
        let authorised = &asking.authorise()?;
        if matches!(asking.sender, Sender::Anonymous) {
            refuse_overrides(address)?;
        }
        let payload = Payload::new(body, head, seal)?;
        let context = &self.context;
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
        findings: &mut Findings,
    ) -> S3Error {
        let client = findings.client;
        let may_know =
            self.authenticate(head, false, findings).and_then(|Authenticated { sender, .. }| {
                if refused.is_about_bucket(head.method()) {
                    self.asking(None, head, address, &sender, client).authorise_refusal()?;
                }
                Ok(())
            });
        may_know.err().unwrap_or_else(|| refused.error(head.method()))
    }

    fn asking<'a>(
        &'a self,
        operation: Option<&'static Operation>,
        head: &'a RequestHead,
        address: &'a Address,
        sender: &'a Sender,
        client: Client,
    ) -> Asking<'a> {
        Asking::new(&self.context, operation, head, address, sender, client)
    }

    fn authenticate(
        &self,
        head: &RequestHead,
        may_be_anonymous: bool,
        findings: &mut Findings,
    ) -> Result<Authenticated, S3Error> {
        let now_unix_s = self.context.clock.unix_ms().div_euclid(1000);
        match self.context.authenticator.authenticate(head, now_unix_s)? {
            Authentication::Signed { identity, seal, presigned, signed_unix_s } => {
                findings.identity = findings.is_audited.then(|| identity.clone());
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
    fn respond(
        &self,
        result: Result<Response, S3Error>,
        head: &RequestHead,
        resource: &str,
        findings: &mut Findings,
    ) -> Response {
        findings.request_id = self.ids.next();
        match result {
            Ok(response) => self.sign_off(response, &findings.request_id),
            Err(error) => self.error(&error, head.method() == Method::Head, resource, findings),
        }
    }

    fn error(&self, error: &S3Error, to_head: bool, resource: &str, findings: &mut Findings) -> Response {
        self.context.metrics.error(error.code.index());
        findings.error = Some(error.code);
        let request_id = findings.request_id.as_str();
        tracing::debug!(code = error.code.name(), message = %error.message, request_id, resource, "refused");
        let mut response = Response::new(error.status()).header("Content-Type", "application/xml");
        if !to_head {
            let document = error.to_xml(resource, request_id, self.ids.host_id());
            response.body = ResponseBody::Bytes(document);
        }
        for (name, value) in &error.headers {
            response.push_header(*name, value.as_str());
        }
        self.sign_off(response, request_id)
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
    async fn call(&self, mut head: RequestHead, body: &mut Body<'_>, client: Client) -> Response {
        if customer_key::is_in(&head) {
            head.mark_secret();
        }
        let started_us = self.context.clock.monotonic_us();
        let bytes_in = body.length();
        let mut findings = Findings::new(client, self.audit.is_some());
        let response = self.run(&head, body, &mut findings).await;
        let duration_us = self.context.clock.monotonic_us() - started_us;
        if let Some(operation) = findings.operation.and_then(ops::index_of) {
            self.context.metrics.request(&RequestSample {
                operation,
                status: response.status,
                bytes_in: bytes_in.unwrap_or(0),
                bytes_out: response.body.length(),
                duration_us,
            });
        }
        if let Some(log) = &self.audit {
            let answered_unix_ms = self.context.clock.unix_ms();
            findings.record(log, Some(&head), &response, Figures { answered_unix_ms, duration_us, bytes_in });
        }
        response
    }

    fn refuse(&self, refusal: HeadRefusal, head: Option<&RequestHead>, client: Client) -> Response {
        let mut findings = Findings::new(client, self.audit.is_some());
        findings.request_id = self.ids.next();
        let response = self.error(&refusal.into(), false, "/", &mut findings).closing();
        if let Some(log) = &self.audit {
            let answered_unix_ms = self.context.clock.unix_ms();
            findings.record(log, head, &response, Figures { answered_unix_ms, ..Figures::default() });
        }
        response
    }
}
