"""tools/check_lints.py reports what compilers don't, and nothing else."""
import unittest

from planting import CheckerTest

LOAD = "    return a.load(std::memory_order_acquire);\n"


class CheckLints(CheckerTest):
    checker = "check_lints.py"

    def test_a_reason_covers_its_operation(self):
        self.assert_clean({"src/pool/a.cpp": "    // ORDER: acquire; pairs with the release in push() [D1].\n" + LOAD +
                                             "\n    // ORDER: release; pairs with pop() [D1].\n"
                                             "    a.store(1, std::memory_order_release);\n"})

    def test_a_reason_covers_consecutive_statements(self):
        self.assert_clean({"src/pool/a.cpp": "    // ORDER: relaxed; statistics.\n    ++count;\n"
                                             "    x += a.load(std::memory_order_relaxed);\n"
                                             "    y += b.load(std::memory_order_relaxed);\n"})

    def test_a_weak_order_without_a_reason_is_reported(self):
        for order in ("memory_order_relaxed", "memory_order_release", "memory_order_acq_rel", "memory_order::acquire"):
            with self.subTest(order=order):
                self.assert_reports({"include/exec/pool/a.hpp": f"#pragma once\nint x = a.load(std::{order});\n"},
                                    "include/exec/pool/a.hpp:2:", "without an 'ORDER:' comment")

    def test_seq_cst_needs_no_reason(self):
        self.assert_clean({"src/pool/a.cpp": "    a.load(std::memory_order_seq_cst);\n    a.load();\n"})

    def test_a_reason_ends_with_its_block(self):
        text = ("    if (b) {\n        // ORDER: relaxed; only this thread writes it.\n"
                "        a.store(1, std::memory_order_relaxed);\n    }\n")
        self.assert_clean({"src/pool/a.cpp": text})
        self.assert_reports({"src/pool/a.cpp": text + LOAD}, "src/pool/a.cpp:5:", "without an 'ORDER:' comment")

    def test_a_reason_ends_at_a_blank_line(self):
        self.assert_reports({"src/pool/a.cpp": "    // ORDER: relaxed; statistics.\n    ++count;\n\n" + LOAD},
                            "src/pool/a.cpp:4:", "without an 'ORDER:' comment")

    def test_an_order_in_a_comment_or_a_string_is_no_operation(self):
        self.assert_clean({"src/pool/a.cpp": '// not memory_order_relaxed\nauto s = "memory_order_relaxed";\n'})

    def test_an_edge_with_one_end_is_reported(self):
        self.assert_reports({"src/pool/a.cpp": "    // ORDER: acquire; pairs with push() [D7].\n" + LOAD},
                            "src/pool/a.cpp:1:", "the edge [D7] is named once")

    def test_words_of_the_unfinished_are_reported(self):
        for word in ("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK"):
            for path in ("src/pool/a.cpp", "docs/a.md", "tools/a", "meson.build"):
                with self.subTest(word=word, path=path):
                    self.assert_reports({path: f"first\n# {word}: later\n"}, f"{path}:2:", "unfinished")

    def test_the_file_by_which_a_worktree_finds_its_repository_is_not_ours(self):
        self.assert_clean({".git": "gitdir: /ho" "me/somebody/coex/.git/worktrees/a\n"})

    def test_reserved_names_are_reported(self):
        for name in ("__lower", "__Upper", "_Upper", "two__underscores"):
            with self.subTest(name=name):
                self.assert_reports({"src/pool/a.cpp": f"int {name};\n"}, "src/pool/a.cpp:1:", f"'{name}' is a name reserved")

    def test_names_that_compilers_give_are_not_ours(self):
        self.assert_clean({"src/pool/a.cpp": "auto a = __builtin_expect(x, 1); auto b = __FILE__; int _lower; int c_;\n"
                                             "#define M(...) f(__VA_ARGS__, __func__, __GNUC__, sizeof(__u64))\n"})

    def test_a_path_of_one_machine_is_reported(self):
        self.assert_reports({"docs/a.md": "see /ho" "me/somebody/x\n"}, "docs/a.md:1:", "path of one machine")

    def test_a_header_without_pragma_once_is_reported(self):
        self.assert_reports({"include/exec/pool/a.hpp": "int x;\n"}, "include/exec/pool/a.hpp:1:", "#pragma once")


if __name__ == "__main__":
    unittest.main()
