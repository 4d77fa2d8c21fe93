#include "options.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace http_server {
namespace {

void add_time(CLI::App& app, const std::string& name, std::chrono::milliseconds& time, const std::string& what) {
    app.add_option_function<std::int64_t>(
           name, [&time](const std::int64_t& value) { time = std::chrono::milliseconds(value); }, what)
        ->check(CLI::Range(1, 3'600'000))
        ->type_name("MILLISECONDS");
}

}  // namespace

options read_options(int argc, char** argv) {
    options read;
    CLI::App app("Serves the files below a directory over HTTP/1.1, until SIGTERM or SIGINT.");
    app.add_option("root", read.root, "directory; nothing outside is served")->check(CLI::ExistingDirectory);
    app.add_option("--listen", read.listen, "address and port; port 0 lets the kernel choose");
    app.add_option("--threads", read.threads, "threads that serve")->check(CLI::Range(1, 1024));
    app.add_option("--connections", read.bounds.connections, "at once")->check(CLI::Range(1, 1'000'000));
    add_time(app, "--head-time", read.bounds.head_time, "for a request to arrive");
    add_time(app, "--idle-time", read.bounds.idle_time, "between the requests of a connection");
    add_time(app, "--send-time", read.bounds.send_time, "for a client to take 64 KiB");
    add_time(app, "--grace", read.bounds.grace, "for requests in progress at the end");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error) == 0 ? 0 : 2);
    }
    return read;
}

}  // namespace http_server
