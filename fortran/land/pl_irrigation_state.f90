!> Fields of irrigation of a set of columns; they exist only where it is computed.
module pl_irrigation_state
   use pl_error, only: error_type
   use pl_field_table, only: field_table_type, role_flux, role_forcing, role_parameter, role_state
   use pl_irrigation, only: method_drip
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: create_irrigation_fields, irrigation_fields_type

   !> Fields of irrigation; all but `irrigation` per patch and per area of the patch.
   type :: irrigation_fields_type
      logical :: is_on = .false. !! columns are irrigated
      real(rk), allocatable :: remaining(:, :)  !! state: still to be applied [kg m-2]
      real(rk), allocatable :: rate(:, :)       !! state: of the present application [kg m-2 s-1]
      real(rk), allocatable :: method(:, :)     !! parameter: pl_irrigation: method_*
      real(rk), allocatable :: by_deficit(:, :) !! parameter: 1 where demand follows the deficit, else 0
      real(rk), allocatable :: threshold(:, :)  !! parameter: share between wilting point and target [1]
      real(rk), allocatable :: depth(:, :)      !! parameter: soil that counts [m]
      real(rk), allocatable :: duration(:, :)   !! parameter: of an application [s]
      real(rk), allocatable :: to_saturation(:, :) !! parameter: 1 where saturation is the target, 0 for field capacity
      real(rk), allocatable :: start(:, :)      !! forcing: 1 in the step of the daily check, else 0
      real(rk), allocatable :: supply(:, :)     !! forcing: prescribed [kg m-2 s-1]
      real(rk), allocatable :: irrigation(:, :) !! flux: mean over the column [kg m-2 s-1]
   end type irrigation_fields_type

contains

   !> Allocate all fields of irrigation and enter them in the table.
   subroutine create_irrigation_fields(table, npatch, fields, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: npatch !! patches per column [1]
      type(irrigation_fields_type), target, intent(inout) :: fields
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      call table%create(fields%remaining, "irrigation_remaining", role_state, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(fields%rate, "irrigation_rate", role_state, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(fields%method, "irrigation_method", role_parameter, npatch, real(method_drip, rk), error)
      if (allocated(error)) return
      call table%create(fields%by_deficit, "irrigation_by_deficit", role_parameter, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(fields%threshold, "irrigation_threshold", role_parameter, npatch, 1.0_rk, error)
      if (allocated(error)) return
      call table%create(fields%depth, "irrigation_depth", role_parameter, npatch, 0.6_rk, error)
      if (allocated(error)) return
      call table%create(fields%duration, "irrigation_duration", role_parameter, npatch, 14400.0_rk, error)
      if (allocated(error)) return
      call table%create(fields%to_saturation, "irrigation_to_saturation", role_parameter, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(fields%start, "irrigation_start", role_forcing, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(fields%supply, "irrigation_supply", role_forcing, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(fields%irrigation, "irrigation", role_flux, 1, 0.0_rk, error)
   end subroutine create_irrigation_fields

end module pl_irrigation_state
