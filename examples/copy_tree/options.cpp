#include "options.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdlib>

namespace copy_tree {

options read_options(int argc, char** argv) {
    options read;
    bool quiet = false;
    CLI::App app(
        "Makes TARGET a copy of the file or directory SOURCE: contents, holes, modes, times, symbolic links and hard "
        "links.\nExit status: 0 all was copied, 1 some was not, 2 wrong usage, 128 + N ended by signal N.");
    app.add_option("source", read.source, "what to copy")->required();
    app.add_option("target", read.target, "what the copy is called; a directory there is added to")->required();
    app.add_flag("-f,--force", read.replace, "replace files that are there; they are refused otherwise");
    app.add_flag("--sync", read.sync, "have each file on the device before it gets its name");
    app.add_flag("-q,--quiet", quiet, "no progress, also on a terminal");
    app.add_option("-j,--jobs", read.jobs, "files that are copied at once")->check(CLI::Range(1, 1024));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error) == 0 ? 0 : 2);
    }
    read.progress = !quiet && ::isatty(STDERR_FILENO) == 1;
    return read;
}

}  // namespace copy_tree
