if(TARGET pvf_worker)
    pvf_add_test(NAME test_worker LABEL unit USES worker)
endif()
# UndefinedBehaviorSanitizer alone brings no allocator.
if(TARGET pvf_worker_sanitizer AND PVF_SANITIZE MATCHES "address|memory")
    pvf_add_test(NAME test_worker_sanitizer LABEL unit USES base LIBS pvf_worker_sanitizer)
endif()
