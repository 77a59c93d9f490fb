//! Requests that list a bucket.

use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::index::Store;
use super::listing::PageRequest;
use super::service::Answer;
use super::wire::{ListEncoding, key_of_token, max_keys, token_of_key};

impl Store {
    pub(super) async fn answer_list_objects(&self, req: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        let input = req.input;
        let max_keys = max_keys(input.max_keys)?;
        let page = self.list(
            &input.bucket,
            &PageRequest {
                prefix: input.prefix.as_deref().unwrap_or_default(),
                delimiter: input.delimiter.as_deref(),
                after: input.marker.as_deref(),
                max: usize::try_from(max_keys).unwrap_or_default(),
            },
        )?;
        let encoding = ListEncoding::of(input.encoding_type.as_ref())?;
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encoding.encode(input.prefix.unwrap_or_default())),
            marker: Some(encoding.encode(input.marker.unwrap_or_default())),
            max_keys: Some(max_keys),
            is_truncated: Some(page.next.is_some()),
            contents: Some(page.objects.iter().map(|object| encoding.object(object)).collect()),
            common_prefixes: Some(page.common_prefixes.into_iter().map(|prefix| encoding.prefix(prefix)).collect()),
            // S3 tells where to go on only where the last entry could be a common prefix.
            next_marker: page.next.filter(|_| input.delimiter.is_some()).map(|next| encoding.encode(next)),
            delimiter: input.delimiter.map(|delimiter| encoding.encode(delimiter)),
            encoding_type: input.encoding_type,
            request_charged: None,
        }))
    }

    pub(super) async fn answer_list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let input = req.input;
        let max_keys = max_keys(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => Some(key_of_token(token)?),
            None => input.start_after.clone(),
        };
        let page = self.list(
            &input.bucket,
            &PageRequest {
                prefix: input.prefix.as_deref().unwrap_or_default(),
                delimiter: input.delimiter.as_deref(),
                after: after.as_deref(),
                max: usize::try_from(max_keys).unwrap_or_default(),
            },
        )?;
        let encoding = ListEncoding::of(input.encoding_type.as_ref())?;
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encoding.encode(input.prefix.unwrap_or_default())),
            max_keys: Some(max_keys),
            key_count: i32::try_from(page.objects.len() + page.common_prefixes.len()).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_deref().map(token_of_key),
            contents: Some(page.objects.iter().map(|object| encoding.object(object)).collect()),
            common_prefixes: Some(page.common_prefixes.into_iter().map(|prefix| encoding.prefix(prefix)).collect()),
            delimiter: input.delimiter.map(|delimiter| encoding.encode(delimiter)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|key| encoding.encode(key)),
            request_charged: None,
        }))
    }
}
