!> Water retention and hydraulic conductivity of soil, as functions of the pressure head.
!>
!> * van Genuchten (1980), Soil Sci. Soc. Am. J. 44, 892-898, eqs. 3, 8 and 9 with Mualem's l = 0.5 and m = 1 - 1/n,
!>   with the air-entry head of Ippisch et al. (2006), Adv. Water Resour. 29, 1780-1789, eqs. 11-13, where n is small:
!>   there dK/dpsi is unbounded at saturation.
!> * Clapp and Hornberger (1978), Water Resour. Res. 14, 601-604, eqs. 1 and 2; with a residual water content this is
!>   Brooks and Corey (1964) with Campbell's (1974) exponents.
!> * Gardner (1958), Soil Sci. 85, 228-232: water content and conductivity exponential in the head, the soil of
!>   analytic solutions.
!>
!> A soil is saturated where the head is above minus its air-entry head; from there on it stores water by
!> `specific_storage` alone: total storage = soil_water + specific_storage*max(head + entry_head, 0).
!> Heads are bounded to `driest_head` and `wettest_head`. Pore ice will enter here as a factor on the conductivity.
module pl_soil_hydraulics
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: w => chunk_width
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_retention_curves, only: clapp_hornberger, driest_head, gardner, invert_van_genuchten, largest_exponent, &
                                  van_genuchten
   implicit none (type, external)
   private
   public :: create_soil_hydraulics, prepare_soil_hydraulics, soil_hydraulics_type
   public :: elastic_storage, evaluate_soil_hydraulics, head_from_water, layer_head_from_water
   public :: reconcile_head, water_at_head, water_from_head
   public :: driest_head, wettest_head
   public :: retention_clapp_hornberger, retention_gardner, retention_van_genuchten

   integer, parameter :: retention_van_genuchten = 1
   integer, parameter :: retention_clapp_hornberger = 2
   integer, parameter :: retention_gardner = 3

   real(rk), parameter :: wettest_head = 1.0e4_rk  !! largest pressure head [m]
   real(rk), parameter :: least_entry = 1.0e-8_rk  !! air-entry head of soils without one [m]
   real(rk), parameter :: least_conductivity = 1.0e-100_rk !! keeps ratios of conductivities finite [m s-1]
   real(rk), parameter :: entry_full = 1.25_rk     !! van Genuchten n up to which the whole air-entry head acts [1]
   real(rk), parameter :: entry_none = 1.5_rk      !! van Genuchten n from which none acts [1]
   real(rk), parameter :: same_water = 1.0e-8_rk   !! water this close to porosity counts as saturated [m3 m-3]

   !> Hydraulic parameters of a chunk of columns; arrays (chunk_width, nlayer). Set the first six, then call
   !> `prepare_soil_hydraulics`; the object can be kept from step to step as long as parameters do not change.
   type :: soil_hydraulics_type
      integer :: retention = retention_van_genuchten          !! scheme, one for all columns
      real(rk) :: air_entry = 0.02_rk                         !! air-entry head of van Genuchten soils with small n [m]
      real(rk) :: air_dry_head = -1.0e5_rk                    !! where evaporation and roots find no water, pF 7 [m]
      real(rk), allocatable :: porosity(:, :)                 !! water content at saturation [m3 m-3]
      real(rk), allocatable :: residual_water(:, :)           !! [m3 m-3]
      real(rk), allocatable :: retention_scale(:, :) !! alpha (van Genuchten, Gardner) [m-1] or air-entry head [m]
      real(rk), allocatable :: retention_shape(:, :)          !! n (van Genuchten) or b (Clapp-Hornberger) [1]
      real(rk), allocatable :: saturated_conductivity(:, :)   !! [m s-1]
      real(rk), allocatable :: specific_storage(:, :)         !! [m-1]
      ! derived
      real(rk), allocatable :: entry_head(:, :)               !! saturated above minus this, positive [m]
      real(rk), allocatable :: release_head(:, :) !! first head tried below saturation (Newton), negative [m]
      real(rk), allocatable :: saturation_scale(:, :)         !! 1/S_c of Ippisch's eq. 11 [1]
      real(rk), allocatable :: conductivity_scale(:, :)       !! factor of the relative conductivity [m s-1]
      real(rk), allocatable :: air_dry_water(:, :)            !! water content at air_dry_head [m3 m-3]
   end type soil_hydraulics_type

contains

   !> Allocate the arrays for `nlayer` layers.
   subroutine create_soil_hydraulics(hydraulics, nlayer, error)
      type(soil_hydraulics_type), intent(inout) :: hydraulics
      integer, intent(in) :: nlayer                       !! layers [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: stat
      stat = 0
      call allocate_layers(hydraulics%porosity, nlayer, stat)
      call allocate_layers(hydraulics%residual_water, nlayer, stat)
      call allocate_layers(hydraulics%retention_scale, nlayer, stat)
      call allocate_layers(hydraulics%retention_shape, nlayer, stat)
      call allocate_layers(hydraulics%saturated_conductivity, nlayer, stat)
      call allocate_layers(hydraulics%specific_storage, nlayer, stat)
      call allocate_layers(hydraulics%entry_head, nlayer, stat)
      call allocate_layers(hydraulics%release_head, nlayer, stat)
      call allocate_layers(hydraulics%saturation_scale, nlayer, stat)
      call allocate_layers(hydraulics%conductivity_scale, nlayer, stat)
      call allocate_layers(hydraulics%air_dry_water, nlayer, stat)
      if (stat /= 0) call raise_error(error, error_state, "not enough memory for soil hydraulic parameters; use fewer "// &
                                      "columns per rank")
   end subroutine create_soil_hydraulics

   !> Allocate one array of a chunk; `stat` keeps the first failure.
   subroutine allocate_layers(array, nlayer, stat)
      real(rk), allocatable, intent(inout) :: array(:, :) !! allocated anew if its size differs
      integer, intent(in) :: nlayer                       !! layers [1]
      integer, intent(inout) :: stat                      !! not 0: not enough memory
      integer :: failed
      if (allocated(array)) then
         if (size(array, 2) == nlayer) return
         deallocate (array)
      end if
      allocate (array(w, nlayer), stat=failed)
      if (failed /= 0) stat = failed
   end subroutine allocate_layers

   !> Derive constants from the parameters and check their range.
   subroutine prepare_soil_hydraulics(hydraulics, nlayer, error)
      type(soil_hydraulics_type), intent(inout) :: hydraulics
      integer, intent(in) :: nlayer                       !! layers [1]
      type(error_type), allocatable, intent(out) :: error !! parameters out of range
      integer :: k
      call check_parameters(hydraulics, error)
      if (allocated(error)) return
      do k = 1, nlayer
         select case (hydraulics%retention)
         case (retention_van_genuchten)
            call prepare_van_genuchten(hydraulics%air_entry, hydraulics%retention_scale(:, k), &
                                       hydraulics%retention_shape(:, k), hydraulics%saturated_conductivity(:, k), &
                                       hydraulics%entry_head(:, k), hydraulics%release_head(:, k), &
                                       hydraulics%saturation_scale(:, k), hydraulics%conductivity_scale(:, k))
         case (retention_clapp_hornberger)
            hydraulics%entry_head(:, k) = hydraulics%retention_scale(:, k)
            hydraulics%release_head(:, k) = -1.001_rk*hydraulics%entry_head(:, k)
            hydraulics%saturation_scale(:, k) = 1.0_rk
            hydraulics%conductivity_scale(:, k) = hydraulics%saturated_conductivity(:, k)
         case default ! Gardner; other numbers were refused above
            hydraulics%entry_head(:, k) = least_entry
            hydraulics%release_head(:, k) = -1.001_rk*least_entry
            hydraulics%saturation_scale(:, k) = 1.0_rk
            hydraulics%conductivity_scale(:, k) = hydraulics%saturated_conductivity(:, k)
         end select
      end do
      call water_at_head(nlayer, hydraulics, hydraulics%air_dry_head, hydraulics%air_dry_water)
   end subroutine prepare_soil_hydraulics

   !> Refuse parameters for which the functions of this module are not defined.
   subroutine check_parameters(hydraulics, error)
      type(soil_hydraulics_type), intent(in) :: hydraulics
      type(error_type), allocatable, intent(out) :: error
      call check_finite(hydraulics, error)
      if (allocated(error)) return
      select case (hydraulics%retention)
      case (retention_van_genuchten)
         if (.not. (all(hydraulics%retention_shape > 1.0_rk) .and. all(hydraulics%retention_shape <= 15.0_rk))) then
            call raise_error(error, error_input, "retention_shape: van Genuchten n must lie in (1, 15]; "// &
                             "correct the soil parameters or limit their perturbation")
         end if
      case (retention_clapp_hornberger)
         if (.not. all(hydraulics%retention_shape > 0.0_rk)) then
            call raise_error(error, error_input, &
               "retention_shape: the Clapp-Hornberger exponent b must be positive; "// &
                             "correct the soil parameters or limit their perturbation")
         end if
      case (retention_gardner)
         continue
      case default
         call raise_error(error, error_input, "retention: expected van Genuchten (1), Clapp-Hornberger (2) "// &
                          "or Gardner (3)")
      end select
      if (allocated(error)) return
      if (.not. (all(hydraulics%retention_scale > 0.0_rk) .and. all(hydraulics%saturated_conductivity > 0.0_rk) .and. &
                 all(hydraulics%specific_storage > 0.0_rk))) then
         call raise_error(error, error_input, "retention_scale, saturated_conductivity and specific_storage "// &
                          "must be positive in every layer; correct the soil parameters or limit their perturbation")
      else if (.not. (all(hydraulics%residual_water >= 0.0_rk) .and. all(hydraulics%porosity <= 1.0_rk) .and. &
                      all(hydraulics%porosity - hydraulics%residual_water > same_water))) then
         call raise_error(error, error_input, &
            "soil parameters must keep 0 <= residual_water < porosity <= 1 in every "// &
                          "layer; correct them or limit their perturbation")
      else if (.not. (hydraulics%air_entry >= 0.0_rk .and. hydraulics%air_dry_head < 0.0_rk)) then
         call raise_error(error, error_input, "air_entry must be 0 or positive, air_dry_head negative")
      end if
   end subroutine check_parameters

   !> Parameters must be finite numbers; comparing others would be an invalid operation.
   subroutine check_finite(hydraulics, error)
      type(soil_hydraulics_type), intent(in) :: hydraulics
      type(error_type), allocatable, intent(out) :: error
      call check_field("porosity", hydraulics%porosity)
      call check_field("residual_water", hydraulics%residual_water)
      call check_field("retention_scale", hydraulics%retention_scale)
      call check_field("retention_shape", hydraulics%retention_shape)
      call check_field("saturated_conductivity", hydraulics%saturated_conductivity)
      call check_field("specific_storage", hydraulics%specific_storage)
      if (allocated(error)) return
      if (.not. (ieee_is_finite(hydraulics%air_entry) .and. ieee_is_finite(hydraulics%air_dry_head))) then
         call raise_error(error, error_input, "air_entry and air_dry_head must be finite numbers")
      end if
   contains
      subroutine check_field(name, values)
         character(len=*), intent(in) :: name
         real(rk), intent(in) :: values(:, :)
         if (allocated(error)) return
         if (.not. all(ieee_is_finite(values))) then
            call raise_error(error, error_input, name//" must be a finite number in every layer; correct the soil "// &
                             "parameters or limit their perturbation")
         end if
      end subroutine check_field
   end subroutine check_finite

   !> Air-entry head and the scales of Ippisch et al. (2006), eqs. 11 and 13.
   pure subroutine prepare_van_genuchten(air_entry, alpha, n, k_sat, entry, release, saturation_scale, &
      conductivity_scale)
      real(rk), intent(in) :: air_entry              !! for small n [m]
      real(rk), intent(in) :: alpha(w)               !! [m-1]
      real(rk), intent(in) :: n(w)                   !! [1]
      real(rk), intent(in) :: k_sat(w)               !! [m s-1]
      real(rk), intent(out) :: entry(w)              !! [m]
      real(rk), intent(out) :: release(w)            !! [m]
      real(rk), intent(out) :: saturation_scale(w)   !! [1]
      real(rk), intent(out) :: conductivity_scale(w) !! [m s-1]
      real(rk) :: m, power, inflection
      integer :: i
      do i = 1, w
         m = 1.0_rk - 1.0_rk/n(i)
         entry(i) = max(air_entry*min(max((entry_none - n(i))/(entry_none - entry_full), 0.0_rk), 1.0_rk), least_entry)
         power = exp(n(i)*log(alpha(i)*entry(i)))
         saturation_scale(i) = exp(m*log(1.0_rk + power))
         conductivity_scale(i) = k_sat(i)/(1.0_rk - exp(m*log(power/(1.0_rk + power))))**2
         inflection = exp(log(m)/n(i))/alpha(i)
         release(i) = -max(inflection, 1.001_rk*entry(i))
      end do
   end subroutine prepare_van_genuchten

   !> Water content, storage capacity and conductivity of all layers, with the derivative of the conductivity.
   pure subroutine evaluate_soil_hydraulics(nlayer, hydraulics, head, water, capacity, conductivity, slope)
      integer, intent(in) :: nlayer                   !! layers [1]
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: head(w, nlayer)         !! pressure head [m]
      real(rk), intent(out) :: water(w, nlayer)       !! volumetric water [m3 m-3]
      real(rk), intent(out) :: capacity(w, nlayer)    !! derivative of total storage to the head [m-1]
      real(rk), intent(out) :: conductivity(w, nlayer) !! [m s-1]
      real(rk), intent(out) :: slope(w, nlayer)       !! derivative of the conductivity to the head [s-1]
      integer :: k
      do k = 1, nlayer
         select case (hydraulics%retention)
         case (retention_van_genuchten)
            call van_genuchten(hydraulics%retention_scale(:, k), hydraulics%retention_shape(:, k), &
                               hydraulics%saturation_scale(:, k), hydraulics%conductivity_scale(:, k), &
                               hydraulics%entry_head(:, k), head(:, k), water(:, k), capacity(:, k), &
                               conductivity(:, k), slope(:, k))
         case (retention_clapp_hornberger)
            call clapp_hornberger(hydraulics%retention_shape(:, k), hydraulics%conductivity_scale(:, k), &
                                  hydraulics%entry_head(:, k), head(:, k), water(:, k), capacity(:, k), &
                                  conductivity(:, k), slope(:, k))
         case default
            call gardner(hydraulics%retention_scale(:, k), hydraulics%conductivity_scale(:, k), head(:, k), &
                         water(:, k), capacity(:, k), conductivity(:, k), slope(:, k))
         end select
         call scale_layer(hydraulics%porosity(:, k), hydraulics%residual_water(:, k), &
            hydraulics%specific_storage(:, k), &
                          hydraulics%saturated_conductivity(:, k), hydraulics%entry_head(:, k), head(:, k), &
                          water(:, k), &
                          capacity(:, k), conductivity(:, k), slope(:, k))
      end do
   end subroutine evaluate_soil_hydraulics

   !> From effective saturation to water content; saturated branch; lower bound of the conductivity.
   pure subroutine scale_layer(porosity, residual_water, specific_storage, k_sat, entry, head, water, capacity, &
      conductivity, &
                               slope)
      real(rk), intent(in) :: porosity(w)         !! [m3 m-3]
      real(rk), intent(in) :: residual_water(w)   !! [m3 m-3]
      real(rk), intent(in) :: specific_storage(w) !! [m-1]
      real(rk), intent(in) :: k_sat(w)            !! [m s-1]
      real(rk), intent(in) :: entry(w)            !! [m]
      real(rk), intent(in) :: head(w)             !! [m]
      real(rk), intent(inout) :: water(w)         !! in: effective saturation [1]; out: [m3 m-3]
      real(rk), intent(inout) :: capacity(w)      !! in: of effective saturation; out: of storage [m-1]
      real(rk), intent(inout) :: conductivity(w)  !! [m s-1]
      real(rk), intent(inout) :: slope(w)         !! [s-1]
      logical :: saturated
      integer :: i
      do i = 1, w
         saturated = head(i) >= -entry(i)
         water(i) = merge(porosity(i), residual_water(i) + (porosity(i) - residual_water(i))*water(i), saturated)
         capacity(i) = merge(specific_storage(i), (porosity(i) - residual_water(i))*capacity(i), saturated)
         slope(i) = merge(0.0_rk, slope(i), saturated)
         conductivity(i) = merge(k_sat(i), max(conductivity(i), least_conductivity), saturated)
      end do
   end subroutine scale_layer

   !> Water content of all layers at a given head.
   pure subroutine water_from_head(nlayer, hydraulics, head, water)
      integer, intent(in) :: nlayer             !! layers [1]
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: head(w, nlayer)   !! [m]
      real(rk), intent(out) :: water(w, nlayer) !! [m3 m-3]
      real(rk) :: capacity(w, nlayer), conductivity(w, nlayer), slope(w, nlayer)
      call evaluate_soil_hydraulics(nlayer, hydraulics, head, water, capacity, conductivity, slope)
   end subroutine water_from_head

   !> Water content of all layers at one head.
   pure subroutine water_at_head(nlayer, hydraulics, head, water)
      integer, intent(in) :: nlayer             !! layers [1]
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: head              !! [m]
      real(rk), intent(out) :: water(w, nlayer) !! [m3 m-3]
      real(rk) :: heads(w, nlayer)
      heads = head
      call water_from_head(nlayer, hydraulics, heads, water)
   end subroutine water_at_head

   !> Head of all layers at a given water content; minus the air-entry head at saturation.
   pure subroutine head_from_water(nlayer, hydraulics, water, head)
      integer, intent(in) :: nlayer            !! layers [1]
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: water(w, nlayer) !! [m3 m-3]
      real(rk), intent(out) :: head(w, nlayer) !! [m]
      integer :: k
      do k = 1, nlayer
         call layer_head_from_water(hydraulics, k, water(:, k), head(:, k))
      end do
   end subroutine head_from_water

   !> Head of one layer at a given water content, between `driest_head` and minus the air-entry head.
   pure subroutine layer_head_from_water(hydraulics, layer, water, head)
      type(soil_hydraulics_type), intent(in) :: hydraulics
      integer, intent(in) :: layer      !! layer [1]
      real(rk), intent(in) :: water(w)  !! [m3 m-3]
      real(rk), intent(out) :: head(w)  !! [m]
      real(rk) :: saturation(w)
      associate (porosity => hydraulics%porosity(:, layer), residual => hydraulics%residual_water(:, layer))
         saturation = min(max((water - residual)/(porosity - residual), tiny(1.0_rk)), 1.0_rk)
      end associate
      select case (hydraulics%retention)
      case (retention_van_genuchten)
         call invert_van_genuchten(hydraulics%retention_scale(:, layer), hydraulics%retention_shape(:, layer), &
                                   hydraulics%saturation_scale(:, layer), saturation, head)
      case (retention_clapp_hornberger)
         head = -hydraulics%entry_head(:, layer) &
                *exp(min(-hydraulics%retention_shape(:, layer)*log(saturation), 0.5_rk*largest_exponent))
      case default
         head = log(saturation)/hydraulics%retention_scale(:, layer)
      end select
      head = merge(-hydraulics%entry_head(:, layer), min(max(head, driest_head), -hydraulics%entry_head(:, layer)), &
                   saturation >= 1.0_rk)
   end subroutine layer_head_from_water

   !> Water stored by compression where the soil is saturated.
   pure subroutine elastic_storage(nlayer, hydraulics, head, storage)
      integer, intent(in) :: nlayer               !! layers [1]
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(in) :: head(w, nlayer)     !! [m]
      real(rk), intent(out) :: storage(w, nlayer) !! [m3 m-3]
      integer :: i, k
      do k = 1, nlayer
         do i = 1, w
            storage(i, k) = hydraulics%specific_storage(i, k)*max(head(i, k) + hydraulics%entry_head(i, k), 0.0_rk)
         end do
      end do
   end subroutine elastic_storage

   !> Heads for water contents that were changed from outside, such as by an analysis.
   !>
   !> Water is first limited to what the retention curve covers. A layer at porosity keeps a head that says so.
   pure subroutine reconcile_head(nlayer, hydraulics, soil_water, pressure_head)
      integer, intent(in) :: nlayer                       !! layers [1]
      type(soil_hydraulics_type), intent(in) :: hydraulics
      real(rk), intent(inout) :: soil_water(w, nlayer)    !! [m3 m-3]
      real(rk), intent(inout) :: pressure_head(w, nlayer) !! [m]
      real(rk) :: driest_water(w, nlayer), head(w, nlayer)
      integer :: i, k
      call water_at_head(nlayer, hydraulics, driest_head, driest_water)
      do k = 1, nlayer
         do i = 1, w
            soil_water(i, k) = min(max(soil_water(i, k), driest_water(i, k)), hydraulics%porosity(i, k))
         end do
      end do
      call head_from_water(nlayer, hydraulics, soil_water, head)
      do k = 1, nlayer
         do i = 1, w
            if (soil_water(i, k) < hydraulics%porosity(i, k) - same_water) then
               pressure_head(i, k) = head(i, k)
            else
               pressure_head(i, k) = max(pressure_head(i, k), head(i, k))
            end if
         end do
      end do
   end subroutine reconcile_head

end module pl_soil_hydraulics
