/*
 * The functions of GnuTLS that are used, loaded when they are first wanted. The library brings seven others
 * with it and would double the time from process start to main() of every guest that uses no TLS.
 * The rows take their types from the library's own header, so a call is checked as any other.
 */
#ifndef CRYPTO_LIBRARY_H
#define CRYPTO_LIBRARY_H

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/common.h"
#include "base/error.h"

#define GNUTLS_FUNCTIONS(F)                                                                        \
	F(alert_send_appropriate)                                                                  \
	F(anon_allocate_client_credentials)                                                        \
	F(anon_allocate_server_credentials)                                                        \
	F(anon_free_client_credentials)                                                            \
	F(anon_free_server_credentials)                                                            \
	F(anon_set_server_dh_params)                                                               \
	F(anon_set_server_known_dh_params)                                                         \
	F(bye)                                                                                     \
	F(certificate_allocate_credentials)                                                        \
	F(certificate_free_credentials)                                                            \
	F(certificate_get_peers)                                                                   \
	F(certificate_server_set_request)                                                          \
	F(certificate_set_dh_params)                                                               \
	F(certificate_set_known_dh_params)                                                         \
	F(certificate_set_x509_crl_file)                                                           \
	F(certificate_set_x509_key_file2)                                                          \
	F(certificate_set_x509_trust_file)                                                         \
	F(certificate_verify_peers2)                                                               \
	F(check_version)                                                                           \
	F(cipher_decrypt)                                                                          \
	F(cipher_deinit)                                                                           \
	F(cipher_init)                                                                             \
	F(credentials_set)                                                                         \
	F(deinit)                                                                                  \
	F(dh_params_deinit)                                                                        \
	F(dh_params_import_pkcs3)                                                                  \
	F(dh_params_init)                                                                          \
	F(error_is_fatal)                                                                          \
	F(handshake)                                                                               \
	F(init)                                                                                    \
	F(priority_set_direct)                                                                     \
	F(psk_allocate_client_credentials)                                                         \
	F(psk_allocate_server_credentials)                                                         \
	F(psk_free_client_credentials)                                                             \
	F(psk_free_server_credentials)                                                             \
	F(psk_set_client_credentials)                                                              \
	F(psk_set_server_credentials_file)                                                         \
	F(psk_set_server_dh_params)                                                                \
	F(psk_set_server_known_dh_params)                                                          \
	F(record_check_pending)                                                                    \
	F(record_get_direction)                                                                    \
	F(record_recv)                                                                             \
	F(record_send)                                                                             \
	F(server_name_set)                                                                         \
	F(session_get_ptr)                                                                         \
	F(session_set_ptr)                                                                         \
	F(session_set_verify_function)                                                             \
	F(strerror)                                                                                \
	F(transport_set_errno)                                                                     \
	F(transport_set_ptr)                                                                       \
	F(transport_set_pull_function)                                                             \
	F(transport_set_push_function)                                                             \
	F(x509_crt_check_hostname)                                                                 \
	F(x509_crt_deinit)                                                                         \
	F(x509_crt_get_activation_time)                                                            \
	F(x509_crt_get_basic_constraints)                                                          \
	F(x509_crt_get_dn)                                                                         \
	F(x509_crt_get_expiration_time)                                                            \
	F(x509_crt_get_key_purpose_oid)                                                            \
	F(x509_crt_get_key_usage)                                                                  \
	F(x509_crt_import)                                                                         \
	F(x509_crt_init)                                                                           \
	F(x509_crt_list_import)                                                                    \
	F(x509_crt_list_verify)

struct library {
#define MEMBER(_name) __typeof__(gnutls_##_name) *_name;
	GNUTLS_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* The library, the same for everyone; NULL with an error if the host has none. */
const struct library *library_load(GError **errp);

#endif
