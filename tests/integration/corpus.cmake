# The workers over the socket, driven from outside.  Exit code 77 means skipped, with a reason.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    set(PVF_SHARED ${PROJECT_SOURCE_DIR}/../shared CACHE PATH
        "Larger corpus and recorded vectors; tests that need them are skipped when it is not there")
    set(workers $<TARGET_FILE:pvf-prepare-worker> $<TARGET_FILE:pvf-execute-worker>)
    set(here ${CMAKE_CURRENT_LIST_DIR})

    add_test(NAME integration_corpus
        COMMAND Python3::Interpreter ${here}/drive_corpus.py ${workers} --strict)
    add_test(NAME integration_corpus_shared
        COMMAND sh ${here}/corpus_shared.sh corpus ${workers})
    add_test(NAME integration_vectors
        COMMAND sh ${here}/corpus_shared.sh vectors ${workers})
    set_tests_properties(integration_corpus integration_corpus_shared integration_vectors
        PROPERTIES LABELS integration SKIP_RETURN_CODE 77 TIMEOUT 1200)
    # Each host with the other's workers.
    add_test(NAME integration_reference_host
        COMMAND Python3::Interpreter ${here}/reference_host.py $<TARGET_FILE:pvf>
            $<TARGET_FILE_DIR:pvf-prepare-worker> --reference-in ${PROJECT_BINARY_DIR}/reference)
    set_tests_properties(integration_reference_host
        PROPERTIES LABELS "integration;slow" SKIP_RETURN_CODE 77 TIMEOUT 5400)
    set_tests_properties(integration_corpus_shared integration_vectors integration_reference_host
        PROPERTIES
        ENVIRONMENT "PVF_PYTHON=${Python3_EXECUTABLE};PVF_SHARED_DEFAULT=${PVF_SHARED}")
endif()
