"""Acts of the corpus that other tests make, by the test: listed here so that the list is whole."""

CODEC = "tests/values/test_codec.py"
READ, CELLS, FIND = "tests/notebook/test_read.py", "tests/notebook/test_cells.py", "tests/notebook/test_find.py"
ASKING, ISOLATION, LOADING = (f"tests/sandbox/test_{name}.py" for name in ("asking", "isolation", "loading"))
REPLIES, ENDS, SERVER = (f"tests/sandbox/test_{name}.py" for name in ("replies", "ends", "server"))

# What it tries: the file and the test that hold it.
ELSEWHERE = {
    # Against the examiner.
    "malformed payloads of every kind": (CODEC, "test_malformed_payload_is_a_codec_error"),
    "random bytes for a payload": (CODEC, "test_random_bytes_never_raise_anything_but_a_codec_error"),
    "one flipped byte of a valid payload": (CODEC, "test_a_flipped_byte_never_raises_anything_but_a_codec_error"),
    "a payload over the cap": (CODEC, "test_payload_over_the_cap_is_refused_on_both_sides"),
    "a structure over the cap": (CODEC, "test_structure_over_its_cap_is_refused_on_both_sides"),
    "a value that holds itself": (CODEC, "test_value_that_holds_itself_is_an_error"),
    "a subclass of array": (CODEC, "test_subclass_of_array_arrives_as_plain_array"),
    "forged frames": (ASKING, "test_forged_frame_ends_the_question_alone"),
    "an answer of another form": (REPLIES, "test_answer_of_another_form_is_refused"),
    "a forged detail of a failure": (REPLIES, "test_detail_is_rebuilt_from_known_texts"),
    "a malformed call": (REPLIES, "test_malformed_call_is_refused_and_not_computed"),
    "calls without end": (ASKING, "test_calls_beyond_the_cap_end_the_question"),
    "sleep between calls": (ASKING, "test_short_sleeps_between_calls_end_as_timed_out"),
    "a forged report of the loader": (LOADING, "test_forged_report_is_not_believed"),
    "a loader that lies about its copy": (ENDS, "test_loader_that_lies_about_its_copy_is_loaded_again"),
    # Against the machine.
    "CPU time of children hidden": (ASKING, "test_usage_counts_the_cpu_time_of_children"),
    "an inherited descriptor": (ISOLATION, "test_only_the_wire_is_an_open_descriptor"),
    "a capability that is left": (ISOLATION, "test_no_capability_is_left"),
    "the user of another slot": (ISOLATION, "test_two_submissions_have_different_ids_on_the_host"),
    "outlive the server": (SERVER, "test_closed_server_leaves_no_process"),
    # Against the reader.
    "files beyond the disk": (ENDS, "test_files_beyond_the_disk_are_the_students_and_named"),
    "code beyond a frame": (ENDS, "test_code_beyond_a_frame_is_the_students_and_named"),
    "a file with a path out of the folder": (LOADING, "test_file_outside_the_folder_is_refused"),
    "a link out of the folder": (READ, "test_read_follows_no_link_out_of_the_folder"),
    "a submission that is a link": (READ, "test_read_refuses_a_submission_that_is_a_link_out_of_the_class"),
    "a pipe for a file": (READ, "test_read_does_not_wait_for_a_pipe"),
    "an archive with a path that leads out": (READ, "test_read_refuses_an_archive_with_a_path_that_leads_out"),
    "an archive with links": (READ, "test_read_an_archive_passes_over_its_links"),
    "a zip bomb": (READ, "test_read_stops_at_a_file_that_expands_beyond_its_limit"),
    "a zip bomb of many files": (READ, "test_read_stops_at_a_total_beyond_its_limit"),
    "an archive of too many files": (READ, "test_read_refuses_more_files_than_a_submission_has"),
    "a compression without bound": (READ, "test_read_refuses_a_compression_that_expands_without_bound"),
    "a damaged archive": (READ, "test_read_a_damaged_archive_raises_nothing_else"),
    "any bytes for a notebook": (CELLS, "test_cells_of_any_bytes_raise_nothing_else"),
    "any JSON for a notebook": (CELLS, "test_cells_of_any_json_raise_nothing_else"),
    "two spellings of one name": (FIND, "test_find_takes_two_spellings_of_one_name_as_one_student"),
    "two submissions of one name": (FIND, "test_find_names_both_submissions_of_one_student"),
    "a link to itself": (FIND, "test_find_of_a_link_to_itself_says_that_it_does_not_exist"),
    "a name longer than any file": (FIND, "test_find_of_a_name_longer_than_any_file_says_that_it_does_not_exist"),
}
