!> Facade: microwave emission of land for any number of columns.
!>
!> Inputs are members that are either one number for all columns or a column of a table: `place` says for each member in
!> which column of `table` it stands, 0 for the number in `constants`. The order of the members is that of the names below;
!> pyland/core/microwave.py repeats it.
module pl_api_microwave
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: chunk_count, first_column, last_column, w => chunk_width
   use pl_constants, only: pi
   use pl_dielectric, only: model_mironov2009, model_refractive, soil_chunk_type
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_frozen_dielectric, only: frozen_mironov2017, frozen_none, ground_permittivity
   use pl_kinds, only: rk
   use pl_layered_emission, only: layered_absorption
   use pl_tau_omega, only: canopy_chunk_type, canopy_emission, effective_choudhury, effective_surface, &
                           effective_temperature, fresnel_reflectivity, npolarisation
   implicit none (type, external)
   private
   public :: microwave_canopy, microwave_emission, microwave_fresnel, microwave_layers, microwave_permittivity

   integer, parameter :: nsoil = 7, ncanopy = 16, nground = 4, nsurface = 1
   integer, parameter :: npermittivity = 2, nfresnel = 3
   character(len=*), parameter :: soil_names(nsoil) = [character(len=24) :: "liquid", "ice", "temperature", "clay", &
      "sand", "bulk_density", "porosity"]
   real(rk), parameter :: soil_least(nsoil) = [0.0_rk, 0.0_rk, 150.0_rk, 0.0_rk, 0.0_rk, 1.0_rk, 0.0_rk]
   real(rk), parameter :: soil_most(nsoil) = [1.0_rk, 1.0_rk, 400.0_rk, 1.0_rk, 1.0_rk, 2664.0_rk, 1.0_rk]
   character(len=*), parameter :: canopy_names(ncanopy) = [character(len=24) :: "angle", "canopy_temperature", &
      "optical_depth_h", "optical_depth_v", "albedo", "rough_dry", "rough_wet", "dry", "wet", "mixing", "power_h", &
      "power_v", "open_water", "water_temperature", "sky", "liquid"]
   real(rk), parameter :: canopy_least(ncanopy) = [0.0_rk, 150.0_rk, 0.0_rk, 0.0_rk, 0.0_rk, 0.0_rk, 0.0_rk, 0.0_rk, &
                                                   0.0_rk, 0.0_rk, -4.0_rk, -4.0_rk, 0.0_rk, 150.0_rk, 0.0_rk, 0.0_rk]
   real(rk), parameter :: canopy_most(ncanopy) = [85.0_rk, 400.0_rk, 100.0_rk, 100.0_rk, 1.0_rk, 10.0_rk, 10.0_rk, &
                                                  1.0_rk, 2.0_rk, 1.0_rk, 4.0_rk, 4.0_rk, 1.0_rk, 400.0_rk, 400.0_rk, &
                                                  1.0_rk]
   character(len=*), parameter :: ground_names(nground) = [character(len=24) :: "reflectivity_h", "reflectivity_v", &
      "ground_temperature_h", "ground_temperature_v"]
   real(rk), parameter :: ground_least(nground) = [0.0_rk, 0.0_rk, 150.0_rk, 150.0_rk]
   real(rk), parameter :: ground_most(nground) = [1.0_rk, 1.0_rk, 400.0_rk, 400.0_rk]
   character(len=*), parameter :: surface_names(nsurface) = [character(len=24) :: "deep_temperature"]
   real(rk), parameter :: surface_least(nsurface) = [150.0_rk], surface_most(nsurface) = [400.0_rk]
   character(len=*), parameter :: fresnel_names(nfresnel) = [character(len=24) :: "angle", "real_part", "loss"]
   real(rk), parameter :: fresnel_least(nfresnel) = [0.0_rk, 1.0_rk, 0.0_rk]
   real(rk), parameter :: fresnel_most(nfresnel) = [85.0_rk, 1.0e4_rk, 1.0e4_rk]
   real(rk), parameter :: least_frequency = 0.3e9_rk, most_frequency = 40.0e9_rk !! [Hz]
   integer, parameter :: angle_member = 1, open_water_member = 13, dry_member = 8, wet_member = 9, liquid_member = 16

contains

   !> Permittivity of the ground (pl_frozen_dielectric).
   subroutine microwave_permittivity(model, frozen, frequency, constants, place, table, output, ierr, errmsg)
      integer, intent(in) :: model            !! see pl_dielectric
      integer, intent(in) :: frozen           !! see pl_frozen_dielectric
      real(rk), intent(in) :: frequency       !! [Hz]
      real(rk), intent(in) :: constants(:)    !! members of `soil_names`
      integer, intent(in) :: place(:)         !! 0 or a column of `table`
      real(rk), intent(in) :: table(:, :)     !! (ncolumn, members that vary)
      real(rk), intent(inout) :: output(:, :) !! (ncolumn, 2), eps' and eps'' [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(soil_chunk_type) :: soil
      real(rk) :: lanes(w, nsoil), real_part(w), loss(w)
      integer :: chunk
      call check_options(model, frozen, effective_surface, frequency, error)
      if (.not. allocated(error)) call check_members(soil_names, soil_least, soil_most, constants, place, table, error)
      if (.not. allocated(error)) call check_output("output", output, size(table, 1), npermittivity, error)
      if (.not. allocated(error)) then
         !$omp parallel do schedule(static) private(lanes, soil, real_part, loss)
         do chunk = 1, chunk_count(size(table, 1))
            call load_members(chunk, nsoil, constants, place, table, lanes)
            call make_soil(lanes, soil)
            call ground_permittivity(model, frozen, frequency, soil, real_part, loss)
            call store(chunk, real_part, output(:, 1))
            call store(chunk, loss, output(:, 2))
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine microwave_permittivity

   !> Reflectivity of a smooth surface (pl_tau_omega).
   subroutine microwave_fresnel(constants, place, table, output, ierr, errmsg)
      real(rk), intent(in) :: constants(:)    !! members of `fresnel_names`
      integer, intent(in) :: place(:)         !! 0 or a column of `table`
      real(rk), intent(in) :: table(:, :)     !! (ncolumn, members that vary)
      real(rk), intent(inout) :: output(:, :) !! (ncolumn, 2), horizontal and vertical [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      real(rk) :: lanes(w, nfresnel), reflectivity(w, npolarisation)
      integer :: chunk, p
      call check_members(fresnel_names, fresnel_least, fresnel_most, constants, place, table, error)
      if (.not. allocated(error)) call check_output("output", output, size(table, 1), npolarisation, error)
      if (.not. allocated(error)) then
         !$omp parallel do schedule(static) private(lanes, reflectivity, p)
         do chunk = 1, chunk_count(size(table, 1))
            call load_members(chunk, nfresnel, constants, place, table, lanes)
            call fresnel_reflectivity(cosine_of(lanes(:, angle_member)), lanes(:, 2), lanes(:, 3), reflectivity)
            do p = 1, npolarisation
               call store(chunk, reflectivity(:, p), output(:, p))
            end do
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine microwave_fresnel

   !> Brightness temperature of homogeneous ground under vegetation (pl_tau_omega).
   subroutine microwave_emission(model, frozen, effective, frequency, constants, place, table, output, ierr, errmsg)
      integer, intent(in) :: model            !! see pl_dielectric
      integer, intent(in) :: frozen           !! see pl_frozen_dielectric
      integer, intent(in) :: effective        !! see pl_tau_omega
      real(rk), intent(in) :: frequency       !! [Hz]
      real(rk), intent(in) :: constants(:)    !! members of `soil_names`, `surface_names`, `canopy_names`
      integer, intent(in) :: place(:)         !! 0 or a column of `table`
      real(rk), intent(in) :: table(:, :)     !! (ncolumn, members that vary)
      real(rk), intent(inout) :: output(:, :) !! (ncolumn, 2), horizontal and vertical [K]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      integer, parameter :: n = nsoil + nsurface + ncanopy, first = nsoil + nsurface
      type(error_type), allocatable :: error
      type(canopy_chunk_type) :: canopy
      type(soil_chunk_type) :: soil
      real(rk) :: brightness(w, npolarisation), ground(w, npolarisation), lanes(w, n), loss(w), real_part(w)
      real(rk) :: smooth(w, npolarisation)
      logical :: has_water
      integer :: chunk, p
      call check_options(model, frozen, effective, frequency, error)
      if (.not. allocated(error)) then
         call check_members([soil_names, surface_names, canopy_names], [soil_least, surface_least, canopy_least], &
                            [soil_most, surface_most, canopy_most], constants, place, table, error)
      end if
      if (.not. allocated(error)) call check_roughness(first, constants, place, table, error)
      if (.not. allocated(error)) call check_output("output", output, size(table, 1), npolarisation, error)
      if (.not. allocated(error)) then
         has_water = varies_or_positive(first + open_water_member, constants, place)
         !$omp parallel do schedule(static) private(lanes, soil, canopy, real_part, loss, smooth, ground, brightness, p)
         do chunk = 1, chunk_count(size(table, 1))
            call load_members(chunk, n, constants, place, table, lanes)
            call make_soil(lanes(:, :nsoil), soil)
            call make_canopy(lanes(:, first + 1:), canopy)
            call ground_permittivity(model, frozen, frequency, soil, real_part, loss)
            call fresnel_reflectivity(canopy%cosine, real_part, loss, smooth)
            call effective_temperature(effective, frequency, soil%liquid, soil%temperature, lanes(:, first), ground(:, 1))
            ground(:, 2) = ground(:, 1)
            call canopy_emission(frequency, has_water, canopy, smooth, ground, brightness)
            do p = 1, npolarisation
               call store(chunk, brightness(:, p), output(:, p))
            end do
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine microwave_emission

   !> Brightness temperature over ground of known smooth reflectivity and temperature (pl_tau_omega).
   subroutine microwave_canopy(frequency, constants, place, table, output, ierr, errmsg)
      real(rk), intent(in) :: frequency       !! [Hz]
      real(rk), intent(in) :: constants(:)    !! members of `ground_names`, `canopy_names`
      integer, intent(in) :: place(:)         !! 0 or a column of `table`
      real(rk), intent(in) :: table(:, :)     !! (ncolumn, members that vary)
      real(rk), intent(inout) :: output(:, :) !! (ncolumn, 2), horizontal and vertical [K]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      integer, parameter :: n = nground + ncanopy
      type(error_type), allocatable :: error
      type(canopy_chunk_type) :: canopy
      real(rk) :: brightness(w, npolarisation), lanes(w, n)
      logical :: has_water
      integer :: chunk, p
      call check_options(model_mironov2009, frozen_none, effective_surface, frequency, error)
      if (.not. allocated(error)) then
         call check_members([ground_names, canopy_names], [ground_least, canopy_least], [ground_most, canopy_most], &
                            constants, place, table, error)
      end if
      if (.not. allocated(error)) call check_roughness(nground, constants, place, table, error)
      if (.not. allocated(error)) call check_output("output", output, size(table, 1), npolarisation, error)
      if (.not. allocated(error)) then
         has_water = varies_or_positive(nground + open_water_member, constants, place)
         !$omp parallel do schedule(static) private(lanes, canopy, brightness, p)
         do chunk = 1, chunk_count(size(table, 1))
            call load_members(chunk, n, constants, place, table, lanes)
            call make_canopy(lanes(:, nground + 1:), canopy)
            call canopy_emission(frequency, has_water, canopy, lanes(:, 1:2), lanes(:, 3:4), brightness)
            do p = 1, npolarisation
               call store(chunk, brightness(:, p), output(:, p))
            end do
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine microwave_canopy

   !> Weights of layers in the brightness of stratified ground (pl_layered_emission).
   subroutine microwave_layers(frequency, angle, real_part, loss, thickness, weight_h, weight_v, ierr, errmsg)
      real(rk), intent(in) :: frequency         !! [Hz]
      real(rk), intent(in) :: angle(:)          !! (ncolumn), of incidence [degree]
      real(rk), intent(in) :: real_part(:, :)   !! (ncolumn, nlayer), eps' [1]
      real(rk), intent(in) :: loss(:, :)        !! (ncolumn, nlayer), eps'' [1]
      real(rk), intent(in) :: thickness(:)      !! (nlayer), that of the last layer is not used [m]
      real(rk), intent(inout) :: weight_h(:, :) !! (ncolumn, nlayer), horizontal [1]
      real(rk), intent(inout) :: weight_v(:, :) !! (ncolumn, nlayer), vertical [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      real(rk), dimension(w, size(thickness)) :: loss_lanes, real_lanes
      real(rk) :: lanes(w), weight(w, size(thickness), npolarisation)
      integer :: chunk, k, n
      n = size(thickness)
      call check_layers(frequency, angle, real_part, loss, thickness, error)
      if (.not. allocated(error)) call check_output("weight_h", weight_h, size(angle), n, error)
      if (.not. allocated(error)) call check_output("weight_v", weight_v, size(angle), n, error)
      if (.not. allocated(error)) then
         !$omp parallel do schedule(static) private(lanes, real_lanes, loss_lanes, weight, k)
         do chunk = 1, chunk_count(size(angle))
            call load(chunk, angle, lanes)
            do k = 1, n
               call load(chunk, real_part(:, k), real_lanes(:, k))
               call load(chunk, loss(:, k), loss_lanes(:, k))
            end do
            call layered_absorption(n, frequency, cosine_of(lanes), real_lanes, loss_lanes, thickness, weight)
            do k = 1, n
               call store(chunk, weight(:, k, 1), weight_h(:, k))
               call store(chunk, weight(:, k, 2), weight_v(:, k))
            end do
         end do
      end if
      call report(error, ierr, errmsg)
   end subroutine microwave_layers

   !> Cosine of angles in degrees.
   pure function cosine_of(angle) result(cosine)
      real(rk), intent(in) :: angle(w) !! [degree]
      real(rk) :: cosine(w)            !! [1]
      integer :: i
      do i = 1, w
         cosine(i) = cos(angle(i)*(pi/180.0_rk))
      end do
   end function cosine_of

   !> Members of a chunk from numbers and columns.
   pure subroutine load_members(chunk, n, constants, place, table, lanes)
      integer, intent(in) :: chunk         !! chunk index, from 1
      integer, intent(in) :: n             !! members
      real(rk), intent(in) :: constants(:) !! (n)
      integer, intent(in) :: place(:)      !! (n)
      real(rk), intent(in) :: table(:, :)  !! (ncolumn, members that vary)
      real(rk), intent(out) :: lanes(w, n) !! members
      integer :: m
      do m = 1, n
         if (place(m) == 0) then
            lanes(:, m) = constants(m)
         else
            call load(chunk, table(:, place(m)), lanes(:, m))
         end if
      end do
   end subroutine load_members

   !> A column's part of a chunk; lanes beyond the last column repeat it.
   pure subroutine load(chunk, column, lanes)
      integer, intent(in) :: chunk      !! chunk index, from 1
      real(rk), intent(in) :: column(:) !! (ncolumn)
      real(rk), intent(out) :: lanes(w)
      integer :: first, last
      first = first_column(chunk)
      last = last_column(chunk, size(column))
      lanes(:last - first + 1) = column(first:last)
      lanes(last - first + 2:) = column(last)
   end subroutine load

   !> Lanes of a chunk that stand for columns.
   pure subroutine store(chunk, lanes, column)
      integer, intent(in) :: chunk         !! chunk index, from 1
      real(rk), intent(in) :: lanes(w)
      real(rk), intent(inout) :: column(:) !! (ncolumn)
      integer :: first, last
      first = first_column(chunk)
      last = last_column(chunk, size(column))
      column(first:last) = lanes(:last - first + 1)
   end subroutine store

   !> Soil of a chunk from its members.
   pure subroutine make_soil(lanes, soil)
      real(rk), intent(in) :: lanes(w, nsoil) !! members of `soil_names`
      type(soil_chunk_type), intent(out) :: soil
      soil%liquid = lanes(:, 1)
      soil%ice = lanes(:, 2)
      soil%temperature = lanes(:, 3)
      soil%clay = lanes(:, 4)
      soil%sand = lanes(:, 5)
      soil%bulk_density = lanes(:, 6)
      soil%porosity = lanes(:, 7)
   end subroutine make_soil

   !> Canopy of a chunk from its members.
   pure subroutine make_canopy(lanes, canopy)
      real(rk), intent(in) :: lanes(w, ncanopy) !! members of `canopy_names`
      type(canopy_chunk_type), intent(out) :: canopy
      canopy%cosine = cosine_of(lanes(:, angle_member))
      canopy%temperature = lanes(:, 2)
      canopy%depth = lanes(:, 3:4)
      canopy%albedo = lanes(:, 5)
      canopy%rough_dry = lanes(:, 6)
      canopy%rough_wet = lanes(:, 7)
      canopy%dry = lanes(:, dry_member)
      canopy%wet = lanes(:, wet_member)
      canopy%mixing = lanes(:, 10)
      canopy%power = lanes(:, 11:12)
      canopy%open_water = lanes(:, open_water_member)
      canopy%water_temperature = lanes(:, 14)
      canopy%sky = lanes(:, 15)
      canopy%liquid = lanes(:, liquid_member)
   end subroutine make_canopy

   !> Whether a member is anything but the number 0.
   pure logical function varies_or_positive(member, constants, place)
      integer, intent(in) :: member        !! which
      real(rk), intent(in) :: constants(:) !! numbers
      integer, intent(in) :: place(:)      !! 0 or a column
      varies_or_positive = place(member) /= 0 .or. constants(member) > 0.0_rk
   end function varies_or_positive

   !> Error unless options exist and the frequency is one of microwaves.
   pure subroutine check_options(model, frozen, effective, frequency, error)
      integer, intent(in) :: model      !! see pl_dielectric
      integer, intent(in) :: frozen     !! see pl_frozen_dielectric
      integer, intent(in) :: effective  !! see pl_tau_omega
      real(rk), intent(in) :: frequency !! [Hz]
      type(error_type), allocatable, intent(out) :: error
      if (model < model_mironov2009 .or. model > model_refractive) then
         call raise_error(error, error_input, "unknown number of a dielectric model")
      else if (frozen < frozen_none .or. frozen > frozen_mironov2017) then
         call raise_error(error, error_input, "unknown number of a treatment of frozen ground")
      else if (effective < effective_surface .or. effective > effective_choudhury) then
         call raise_error(error, error_input, "unknown number of an effective temperature")
      else if (.not. ieee_is_finite(frequency)) then
         call raise_error(error, error_input, "the frequency is not finite")
      else if (frequency < least_frequency .or. frequency > most_frequency) then
         call raise_error(error, error_input, "the frequency must lie between 0.3e9 and 40e9 Hz, the range of the models of &
            &permittivity")
      end if
   end subroutine check_options

   !> Error unless members are there and within their bounds.
   pure subroutine check_members(names, least, most, constants, place, table, error)
      character(len=*), intent(in) :: names(:) !! of the members
      real(rk), intent(in) :: least(:), most(:) !! physical bounds
      real(rk), intent(in) :: constants(:)     !! numbers
      integer, intent(in) :: place(:)          !! 0 or a column
      real(rk), intent(in) :: table(:, :)      !! columns
      type(error_type), allocatable, intent(out) :: error
      integer :: m
      if (size(constants) /= size(names) .or. size(place) /= size(names) .or. size(table, 1) < 1) then
         call raise_error(error, error_input, "members, their places and a table of at least one column must be given")
      else if (minval(place) < 0 .or. maxval(place) > size(table, 2)) then
         call raise_error(error, error_input, "a member stands in no column of the table")
      end if
      if (allocated(error)) return
      do m = 1, size(names)
         if (place(m) == 0) then
            call check_values(names(m), least(m), most(m), constants(m:m), error)
         else
            call check_values(names(m), least(m), most(m), table(:, place(m)), error)
         end if
         if (allocated(error)) return
      end do
   end subroutine check_members

   !> Error unless values are finite and within bounds; it names the first that is not.
   pure subroutine check_values(name, least, most, values, error)
      character(len=*), intent(in) :: name  !! of the member
      real(rk), intent(in) :: least, most   !! physical bounds
      real(rk), intent(in) :: values(:)
      type(error_type), allocatable, intent(out) :: error
      character(len=200) :: text
      integer :: i
      logical :: fine
      do i = 1, size(values)
         fine = ieee_is_finite(values(i))
         if (fine) fine = values(i) >= least .and. values(i) <= most
         if (fine) cycle
         write (text, "(3a, i0, 2(a, g0.4), a, g0.6)") "microwave emission: ", trim(name), " of column ", i, &
            " (counted from 1) must lie between ", least, " and ", most, ", got ", values(i)
         call raise_error(error, error_input, text)
         return
      end do
   end subroutine check_values

   !> Error unless roughness ends fall at a wetter than it begins.
   pure subroutine check_roughness(first, constants, place, table, error)
      integer, intent(in) :: first         !! members before those of the canopy
      real(rk), intent(in) :: constants(:) !! numbers
      integer, intent(in) :: place(:)      !! 0 or a column
      real(rk), intent(in) :: table(:, :)  !! columns
      type(error_type), allocatable, intent(out) :: error
      integer :: d, v
      logical :: wrong
      d = place(first + dry_member)
      v = place(first + wet_member)
      if (d == 0 .and. v == 0) then
         wrong = constants(first + wet_member) <= constants(first + dry_member)
      else if (d == 0) then
         wrong = any(table(:, v) <= constants(first + dry_member))
      else if (v == 0) then
         wrong = any(constants(first + wet_member) <= table(:, d))
      else
         wrong = any(table(:, v) <= table(:, d))
      end if
      if (wrong) call raise_error(error, error_input, "microwave emission: the roughness falls between the water contents &
         &dry and wet: wet must be above dry")
   end subroutine check_roughness

   !> Error unless a profile is complete and possible.
   pure subroutine check_layers(frequency, angle, real_part, loss, thickness, error)
      real(rk), intent(in) :: frequency       !! [Hz]
      real(rk), intent(in) :: angle(:)        !! [degree]
      real(rk), intent(in) :: real_part(:, :) !! [1]
      real(rk), intent(in) :: loss(:, :)      !! [1]
      real(rk), intent(in) :: thickness(:)    !! [m]
      type(error_type), allocatable, intent(out) :: error
      integer :: k
      call check_options(model_mironov2009, frozen_none, effective_surface, frequency, error)
      if (allocated(error)) return
      if (size(thickness) < 1 .or. size(angle) < 1 .or. any(shape(real_part) /= [size(angle), size(thickness)]) .or. &
          any(shape(loss) /= shape(real_part))) then
         call raise_error(error, error_input, "layered emission: permittivities must have one row per angle and one column &
            &per layer")
         return
      end if
      call check_values("angle", fresnel_least(1), fresnel_most(1), angle, error)
      if (.not. allocated(error)) call check_values("layer thickness", 0.0_rk, huge(1.0_rk), thickness, error)
      do k = 1, size(thickness)
         if (allocated(error)) return
         call check_values("real part of a layer", fresnel_least(2), fresnel_most(2), real_part(:, k), error)
         if (.not. allocated(error)) call check_values("loss of a layer", fresnel_least(3), fresnel_most(3), loss(:, k), error)
      end do
   end subroutine check_layers

   !> Error unless a result has this shape.
   pure subroutine check_output(name, output, nrow, ncolumn, error)
      character(len=*), intent(in) :: name  !! of the result
      real(rk), intent(in) :: output(:, :)
      integer, intent(in) :: nrow           !! expected first extent
      integer, intent(in) :: ncolumn        !! expected second extent
      type(error_type), allocatable, intent(out) :: error
      character(len=120) :: text
      if (size(output, 1) == nrow .and. size(output, 2) == ncolumn) return
      write (text, "(2a, 2(i0, a))") name, ": expected shape (", nrow, ", ", ncolumn, ")"
      call raise_error(error, error_input, text)
   end subroutine check_output

end module pl_api_microwave
