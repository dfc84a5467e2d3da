/* SPDX-License-Identifier: MIT */
/** @file export.h  Symbol visibility and language linkage of the public API. */
#ifndef L2TPVOIP_EXPORT_H
#define L2TPVOIP_EXPORT_H

#if defined(_WIN32) && defined(L2TPVOIP_BUILDING_DLL)
#define L2TPVOIP_API __declspec(dllexport)
#elif defined(__GNUC__)
#define L2TPVOIP_API __attribute__((visibility("default")))
#else
#define L2TPVOIP_API
#endif

#ifdef __cplusplus
#define L2TPVOIP_BEGIN extern "C" {
#define L2TPVOIP_END }
#else
#define L2TPVOIP_BEGIN
#define L2TPVOIP_END
#endif

#endif
