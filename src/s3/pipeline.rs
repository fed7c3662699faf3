//! The way of a request, top to bottom: address, route, authenticate, authorise, operate, respond.
//!
//! Each step takes what the one before gave and makes what the next one needs; the body is not touched before the
//! request is authorised, and a client that asked for `100 Continue` has not been told to send it until then.

use std::rc::Rc;

use crate::audit::AuditLog;
use crate::auth::{Authentication, Identity, PayloadSeal};
use crate::http::body::Body;
use crate::http::client_address::Client;
use crate::http::connection::{HeadRefusal, Service};
use crate::http::date;
use crate::http::head::{Method, RequestHead};
use crate::http::response::{Response, ResponseBody};
use crate::index::record::bucket::BucketRecord;
use crate::metrics::RequestSample;
use crate::s3::address::{self, Address};
use crate::s3::body::Payload;
use crate::s3::bucket_name;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::findings::{Figures, Findings};
use crate::s3::headers::customer_key;
use crate::s3::operation::{BodyKind, Call, Context, Operation, Permission};
use crate::s3::ops;
use crate::s3::request_id::RequestIds;
use crate::s3::route::{self, Routed};

/// The S3 service of one core.
pub struct S3Service {
    context: Rc<Context>,
    ids: RequestIds,
    audit: Option<AuditLog>,
}

/// A request whose sender is known.
struct Authenticated {
    identity: Identity,
    seal: PayloadSeal,
}

/// Proof that a request may run. Only this module can make it, and no [`Call`] is made without it.
pub struct Authorised {
    bucket: Option<BucketRecord>,
}

impl Authorised {
    /// The bucket that the request is about, where the operation needs it to exist.
    pub fn bucket(&self) -> Option<&BucketRecord> {
        self.bucket.as_ref()
    }
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
            Ok(Routed::Refused(refused)) => self.authenticate(head, findings).and_then(|sender| {
                if refused.is_about_bucket(head.method()) {
                    self.authorise(&[], &address, &sender.identity)?;
                }
                Err(refused.error(head.method()))
            }),
            Err(error) => self.authenticate(head, findings).and(Err(error)),
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
        let admitted_ms = self.context.clock.unix_ms();
        let Authenticated { identity, seal } = self.authenticate(head, findings)?;
        if seal.is_streaming() && operation.body != BodyKind::Object {
            return Err(S3Error::invalid_request("The value of x-amz-content-sha256 header is invalid."));
        }
        let authorised = self.authorise(operation.permissions, address, &identity)?;
        let payload = Payload::new(body, head, seal)?;
        let context = &self.context;
        (operation.run)(Call { context, head, address, identity, authorised, payload, admitted_ms }).await
    }

    fn authenticate(&self, head: &RequestHead, findings: &mut Findings) -> Result<Authenticated, S3Error> {
        let now_unix_s = self.context.clock.unix_ms().div_euclid(1000);
        match self.context.authenticator.authenticate(head, now_unix_s)? {
            Authentication::Signed { identity, seal, .. } => {
                findings.identity = findings.is_audited.then(|| identity.clone());
                Ok(Authenticated { identity, seal })
            }
            Authentication::Anonymous => {
                Err(S3Error::access_denied("Anonymous users cannot invoke this API. Please authenticate."))
            }
        }
    }

    fn authorise(
        &self,
        permissions: &[Permission],
        address: &Address,
        identity: &Identity,
    ) -> Result<Authorised, S3Error> {
        match &address.bucket {
            Some(name) => authorise(&self.context, permissions, name, identity),
            None => Ok(Authorised { bucket: None }),
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

impl Call<'_, '_> {
    /// Authorises the sender on a bucket that the request names beside the one that it is addressed to. There is no
    /// other way to the record of such a bucket.
    pub fn authorise_other(&self, bucket: &str, permissions: &[Permission]) -> Result<Authorised, S3Error> {
        authorise(self.context, permissions, bucket, &self.identity)
    }
}

/// Every bucket belongs to its creator's organisation; members may do everything with it, others nothing.
fn authorise(
    context: &Context,
    permissions: &[Permission],
    bucket: &str,
    identity: &Identity,
) -> Result<Authorised, S3Error> {
    bucket_name::validate(bucket)?;
    if permissions.contains(&Permission::CreateBucket) {
        return Ok(Authorised { bucket: None });
    }
    let record = context.store.bucket(bucket)?.ok_or_else(|| S3Error::no_such_bucket(bucket))?;
    if record.org != identity.org {
        return Err(S3Error::new(ErrorCode::AccessDenied));
    }
    Ok(Authorised { bucket: Some(record) })
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
