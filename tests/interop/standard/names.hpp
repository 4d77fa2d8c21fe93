#pragma once

// The names of stdexec as [execution.syn] has them.

namespace std {  // NOLINT(cert-dcl58-cpp): it stands in for the standard library

using stdexec::get_allocator_t;
using stdexec::get_stop_token_t;
using stdexec::inplace_stop_source;
using stdexec::inplace_stop_token;

using stdexec::get_allocator;
using stdexec::get_stop_token;

namespace this_thread {

using stdexec::sync_wait;

}  // namespace this_thread

namespace execution {

using stdexec::operation_state_tag;
using stdexec::receiver_tag;
using stdexec::scheduler_tag;
using stdexec::sender_tag;

using stdexec::get_completion_domain_t;
using stdexec::get_completion_scheduler_t;
using stdexec::get_delegation_scheduler_t;
using stdexec::get_forward_progress_guarantee_t;
using stdexec::get_scheduler_t;
using stdexec::get_start_scheduler_t;
using stdexec::set_error_t;
using stdexec::set_stopped_t;
using stdexec::set_value_t;

using stdexec::get_completion_scheduler;
using stdexec::get_delegation_scheduler;
using stdexec::get_env;
using stdexec::get_forward_progress_guarantee;
using stdexec::get_scheduler;
using stdexec::get_start_scheduler;
using stdexec::set_error;
using stdexec::set_stopped;
using stdexec::set_value;

using stdexec::completion_signatures;
using stdexec::completion_signatures_of_t;
using stdexec::connect_result_t;
using stdexec::default_domain;
using stdexec::env;
using stdexec::env_of_t;
using stdexec::forward_progress_guarantee;
using stdexec::prop;
using stdexec::receiver;
using stdexec::scheduler;
using stdexec::sender;
using stdexec::sender_in;
using stdexec::tag_of_t;

using stdexec::connect;
using stdexec::schedule;
using stdexec::start;

using stdexec::bulk_chunked_t;
using stdexec::bulk_unchunked_t;

using stdexec::bulk;
using stdexec::bulk_chunked;
using stdexec::bulk_unchunked;
using stdexec::continues_on;
using stdexec::counting_scope;
using stdexec::get_parallel_scheduler;
using stdexec::just;
using stdexec::just_error;
using stdexec::just_stopped;
using stdexec::let_stopped;
using stdexec::let_value;
using stdexec::on;
using stdexec::read_env;
using stdexec::spawn;
using stdexec::starts_on;
using stdexec::task;
using stdexec::then;
using stdexec::when_all;
using stdexec::write_env;

namespace parallel_scheduler_replacement {

using stdexec::parallel_scheduler_replacement::bulk_item_receiver_proxy;
using stdexec::parallel_scheduler_replacement::parallel_scheduler_backend;
using stdexec::parallel_scheduler_replacement::query_parallel_scheduler_backend;
using stdexec::parallel_scheduler_replacement::receiver_proxy;

}  // namespace parallel_scheduler_replacement

}  // namespace execution
}  // namespace std
