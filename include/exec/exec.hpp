#pragma once

/// All of coex.

#include <exec/coro/block_on.hpp>
#include <exec/coro/coroutine_base.hpp>
#include <exec/coro/run_loop.hpp>
#include <exec/coro/task.hpp>
#include <exec/coro/when_all.hpp>
#include <exec/device/resource_pools.hpp>
#include <exec/device/storage_device.hpp>
#include <exec/io/backend_kind.hpp>
#include <exec/io/file.hpp>
#include <exec/io/timer.hpp>
#include <exec/pool/default_pool.hpp>
#include <exec/pool/fork_join.hpp>
#include <exec/pool/static_thread_pool.hpp>
#include <exec/version.hpp>
#include <exec/vocab/queries.hpp>
#include <exec/vocab/scheduler.hpp>
#include <exec/vocab/sender.hpp>
#include <exec/vocab/stop_token.hpp>
#include <exec/vocab/work_item.hpp>
