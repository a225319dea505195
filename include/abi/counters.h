/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* The counters of the hooks: one list gives the enum here and the names. */
#ifndef KITH_ABI_COUNTERS_H
#define KITH_ABI_COUNTERS_H

/* X(ENUM_SUFFIX, name): new ones go to the end, names are an interface. */
#define KITH_COUNTERS(X)                                                                            \
	/* connect() sent to the agent */                                                           \
	X(CONNECT_CAPTURED, connect_captured)                                                       \
	/* connect() left alone by a bypass rule */                                                 \
	X(CONNECT_BYPASSED, connect_bypassed)                                                       \
	/* connect() refused: the agent's listener is gone */                                       \
	X(AGENT_AWAY, agent_away)                                                                   \
	/* connect() refused: no listener in this namespace yet */                                  \
	X(NETNS_NOT_READY, netns_not_ready)                                                         \
	/* connect() refused: its origin could not be recorded */                                   \
	X(ORIGIN_NOT_SAVED, origin_not_saved)                                                       \
	/* a captured socket's tuple could not be recorded: agent resets it */                      \
	X(TUPLE_NOT_SAVED, tuple_not_saved)                                                         \
	/* listen() of a managed process entered in the table */                                    \
	X(LISTENER_SEEN, listener_seen)                                                             \
	/* listen() that found no room in the table */                                              \
	X(LISTENER_NOT_SAVED, listener_not_saved)                                                   \
	/* SYN handed to the agent */                                                               \
	X(INBOUND_CAPTURED, inbound_captured)                                                       \
	/* SYN of the agent's own dial, let through */                                              \
	X(INBOUND_DIALED, inbound_dialed)                                                           \
	/* SYN dropped: the agent's listener is gone */                                             \
	X(INBOUND_AGENT_AWAY, inbound_agent_away)                                                   \
	/* SYN dropped: bpf_sk_assign() failed */                                                   \
	X(INBOUND_NOT_ASSIGNED, inbound_not_assigned)                                               \
	/* SYN dropped: the table of listeners has lost some */                                     \
	X(INBOUND_UNCERTAIN, inbound_uncertain)                                                     \
	/* verdict given to a child at fork */                                                      \
	X(VERDICT_INHERITED, verdict_inherited)                                                     \
	/* verdict that a child could not be given: it is held once */                              \
	X(VERDICT_NOT_INHERITED, verdict_not_inherited)                                             \
	/* event that found no room in the ring buffer */                                           \
	X(EVENT_DROPPED, event_dropped)                                                             \
	/* namespace beyond the bound of the table */                                               \
	X(NETNS_TABLE_FULL, netns_table_full)                                                       \
	/* sockops could not ask for a socket's state changes */                                    \
	X(STATE_NOT_FOLLOWED, state_not_followed)                                                   \
	/* outer socket that tried to send something that is no TLS record: an alarm, 0 for ever */ \
	X(OUTER_NOT_TLS, outer_not_tls)                                                             \
	/* outer socket that could not be followed to its end */                                    \
	X(OUTER_UNCHECKED, outer_unchecked)                                                         \
	/* getsockopt() that told an application who its peer is */                                 \
	X(IDENTITY_SHOWN, identity_shown)                                                           \
	/* connect() that had a pass: straight to the listener */                                   \
	X(DIRECT_CONNECT, direct_connect)                                                           \
	/* connect() that had a pass, but no room to be followed: through the agent */              \
	X(DIRECT_NOT_SAVED, direct_not_saved)                                                       \
	/* direct flow whose SYN cannot be known: it goes to the agent, and the flow is ended */    \
	X(DIRECT_SYN_NOT_SAVED, direct_syn_not_saved)                                               \
	/* accepted end of a direct flow whose application cannot be told who its peer is */        \
	X(DIRECT_PEER_NOT_SAVED, direct_peer_not_saved)                                             \
	/* SYN of a direct flow given to its listener */                                            \
	X(DIRECT_ASSIGNED, direct_assigned)                                                         \
	/* SYN of a direct flow dropped: its listener is gone */                                    \
	X(DIRECT_LISTENER_GONE, direct_listener_gone)                                               \
	/* SYN of a direct flow dropped: bpf_sk_assign() failed */                                  \
	X(DIRECT_NOT_ASSIGNED, direct_not_assigned)                                                 \
	/* connect() of a workload to a destination that policy leaves alone */                     \
	X(CONNECT_LEFT_ALONE, connect_left_alone)

#define KITH_COUNTER_ENUM(suffix, name) COUNTER_##suffix,
enum kith_counter { KITH_COUNTERS(KITH_COUNTER_ENUM) COUNTER_COUNT };
#undef KITH_COUNTER_ENUM

#endif /* KITH_ABI_COUNTERS_H */
