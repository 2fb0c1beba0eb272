//! Stands before every method: counts calls, and answers in geth's words what jsonrpsee would answer in its own.

use crate::errors::{METHOD_NOT_FOUND, RpcError};
use futures::future::{Either, ready};
use jsonrpsee::{
    BatchResponseBuilder, MethodResponse, Methods,
    server::middleware::rpc::{Batch, BatchEntry, Notification, RpcServiceT},
    types::{ErrorObjectOwned, Request},
};
use metrics::Counter;
use std::{collections::HashMap, sync::Arc};

/// Marks requests that came over plain HTTP, where nothing can be sent later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OverHttp;

/// The methods that exist, and what each has seen.
pub(crate) struct Known {
    calls: HashMap<&'static str, Calls>,
    unknown: Counter,
    response_bytes_max: usize,
}

struct Calls {
    all: Counter,
    failed: Counter,
}

impl Known {
    /// Install the metrics recorder before this.
    pub(crate) fn new(methods: &Methods, response_bytes_max: u32) -> Arc<Self> {
        let calls = methods
            .method_names()
            .map(|name| {
                let all = metrics::counter!("rpc_calls_total", "method" => name);
                (
                    name,
                    Calls {
                        all,
                        failed: metrics::counter!("rpc_errors_total", "method" => name),
                    },
                )
            })
            .collect();
        let unknown = metrics::counter!("rpc_unknown_method_total");
        Arc::new(Self {
            calls,
            unknown,
            response_bytes_max: response_bytes_max as usize,
        })
    }
}

/// jsonrpsee's service with [`Known`] before it.
#[derive(Clone)]
pub(crate) struct Texts<S> {
    pub(crate) inner: S,
    pub(crate) known: Arc<Known>,
}

fn refuse(request: Request<'_>, error: RpcError) -> MethodResponse {
    MethodResponse::error(request.id, ErrorObjectOwned::from(error))
        .with_extensions(request.extensions)
}

impl<S> RpcServiceT for Texts<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let Some(calls) = self.known.calls.get(request.method_name()) else {
            self.known.unknown.increment(1);
            let error = RpcError::unknown_method(request.method_name());
            return Either::Left(ready(refuse(request, error)));
        };
        calls.all.increment(1);
        if matches!(request.method_name(), "eth_subscribe" | "eth_unsubscribe")
            && request.extensions().get::<OverHttp>().is_some()
        {
            calls.failed.increment(1);
            return Either::Left(ready(refuse(
                request,
                RpcError::new(METHOD_NOT_FOUND, "notifications not supported"),
            )));
        }
        let failed = calls.failed.clone();
        let answer = self.inner.call(request);
        Either::Right(async move {
            let answer = answer.await;
            if answer.is_error() {
                failed.increment(1);
            }
            answer
        })
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let mut answers = BatchResponseBuilder::new_with_limit(this.known.response_bytes_max);
            let mut notified = false;
            for entry in batch {
                let answer = match entry {
                    Ok(BatchEntry::Call(request)) => this.call(request).await,
                    Ok(BatchEntry::Notification(notification)) => {
                        notified = true;
                        this.notification(notification).await;
                        continue;
                    }
                    Err(error) => {
                        let (error, id) = error.into_parts();
                        MethodResponse::error(id, error)
                    }
                };
                if let Err(too_large) = answers.append(answer) {
                    return too_large;
                }
            }
            if answers.is_empty() && notified {
                return MethodResponse::notification();
            }
            MethodResponse::from_batch(answers.finish())
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}
