"""tools/check_layers.py reports what breaks the order of the layers, and nothing else."""
import unittest

from planting import CheckerTest

ONCE = "#pragma once\n"


class CheckLayers(CheckerTest):
    checker = "check_layers.py"

    def test_a_tree_in_order_is_clean(self):
        self.assert_clean({
            "include/exec/base/config.hpp": ONCE,
            "include/exec/pool/pool.hpp": ONCE + "#include <exec/base/config.hpp>\n",
            "src/pool/pool.cpp": '#include <exec/pool/pool.hpp>\n#include "pool/worker.hpp"\n#include <vector>\n',
            "src/pool/worker.hpp": ONCE,
            "src/io/ring.cpp": "#include <liburing.h>\n",
        })

    def test_an_upward_include_is_reported(self):
        self.assert_reports({"include/exec/vocab/a.hpp": ONCE + "#include <exec/pool/pool.hpp>\n"},
                            "include/exec/vocab/a.hpp:2:", "upward include of 'exec/pool/pool.hpp'")

    def test_a_deeper_folder_belongs_to_its_layer(self):
        self.assert_reports({"include/exec/vocab/detail/a.hpp": ONCE + "#include <exec/pool/detail/b.hpp>\n"},
                            "include/exec/vocab/detail/a.hpp:2:", "upward include")

    def test_siblings_must_not_include_each_other(self):
        self.assert_reports({"src/sys/a.cpp": "#include <exec/vocab/b.hpp>\n"}, "src/sys/a.cpp:1:", "sideways include")
        self.assert_reports({"src/algo/a.cpp": "#include <exec/sync/b.hpp>\n"}, "src/algo/a.cpp:1:", "sideways include")

    def test_a_relative_include_is_reported(self):
        self.assert_reports({"src/coro/a.cpp": '#include "../pool/worker.hpp"\n'}, "src/coro/a.cpp:1:", "relative include")

    def test_a_public_header_must_not_include_a_private_one(self):
        self.assert_reports({"include/exec/pool/a.hpp": ONCE + '#include "pool/worker.hpp"\n'},
                            "include/exec/pool/a.hpp:2:", "public header includes the private")

    def test_only_the_ring_names_io_uring(self):
        for name in ("liburing.h", "liburing/io_uring.h", "linux/io_uring.h"):
            for path in ("src/io/service.cpp", "src/pool/ring.cpp", "include/exec/io/ring.hpp"):
                with self.subTest(name=name, path=path):
                    self.assert_reports({path: f"#include <{name}>\n"}, f"{path}:1:", "only src/io/ring* knows io_uring")

    def test_the_umbrella_is_for_users(self):
        self.assert_reports({"src/pool/a.cpp": "#include <exec/exec.hpp>\n"}, "src/pool/a.cpp:1:", "umbrella")

    def test_a_public_header_must_not_include_what_is_dear_to_compile(self):
        self.assert_reports({"include/exec/pool/a.hpp": ONCE + "#include <memory>\n"}, "include/exec/pool/a.hpp:2:",
                            "includes <memory>, which is dear to compile")
        self.assert_clean({
            "src/pool/a.hpp": ONCE + "#include <memory>\n",
            "include/exec/base/std_chrono.hpp": ONCE + "#include <chrono>\n#include <bits/chrono.h>\n",
            "include/exec/interop/a.hpp": ONCE + "#include <memory>\n",
        })

    def test_only_the_headers_for_it_know_the_inside_of_a_standard_library(self):
        for path in ("include/exec/pool/std_chrono.hpp", "src/base/a.cpp"):
            with self.subTest(path=path):
                self.assert_reports({path: "#include <bits/chrono.h>\n"}, f"{path}:1:", "belongs to one standard library")

    def test_an_unknown_layer_is_reported(self):
        self.assert_reports({"src/misc/a.cpp": ""}, "src/misc/a.cpp:1:", "unknown layer 'misc'")

    def test_a_test_may_drive_its_layer_by_public_headers_of_higher_ones(self):
        self.assert_clean({"tests/coro/a_test.cpp": "#include <exec/pool/pool.hpp>\n"})

    def test_a_test_must_not_know_private_headers_of_higher_layers(self):
        self.assert_reports({"tests/coro/a_test.cpp": '#include "pool/worker.hpp"\n'}, "tests/coro/a_test.cpp:1:",
                            "private to pool")

    def test_tests_share_their_own_headers(self):
        self.assert_clean({"tests/coro/a_test.cpp": '#include "pool/support.hpp"\n', "tests/pool/support.hpp": ONCE})

    def test_a_cycle_is_reported(self):
        self.assert_reports({"src/pool/a.hpp": ONCE + '#include "pool/b.hpp"\n', "src/pool/b.hpp": ONCE + '#include "pool/a.hpp"\n'},
                            "src/pool/a.hpp:1:", "include cycle")

    def test_a_long_file_is_reported(self):
        self.assert_clean({"src/pool/a.cpp": "\n" * 400})
        self.assert_reports({"src/pool/a.cpp": "\n" * 401}, "src/pool/a.cpp:1:", "401 lines")


if __name__ == "__main__":
    unittest.main()
